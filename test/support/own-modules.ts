/** For runs in which test files share their process: src is loaded anew for each, with nothing left of those before. */
import { vi } from "vitest";

vi.resetModules();
