/** The README is code, too: every block of it runs, or says that it is a fragment and at least parses. */
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "./run.js";
import { askHttp, serve } from "./serving.js";

interface Block {
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `run`, `fragment`, `file=…`, `output=…`. */
  readonly kind: string;
  readonly code: string;
}

const readme = await readFile(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^(> )?```(\w+) ?(.*)\n([\s\S]*?)^(?:> )?```$/gm)].map(
  ({ index, 1: quote = "", 2: language = "", 3: kind = "", 4: code = "" }): Block => ({
    line: readme.slice(0, index).split("\n").length + 1,
    language,
    kind,
    code: quote === "" ? code : code.replace(/^> ?/gm, ""),
  }),
);
const programs = blocks.filter(({ language }) => language === "js" || language === "ts");
const named = (block: Block) => [`line ${block.line}, ${block.language} ${block.kind}`, block] as const;

// Inside the project, where `lifeguard` is found, and not in node_modules, where it would not be.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL("./.readme-", import.meta.url)));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, code: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, code);
  return file;
}

test("there are blocks, and each says what it is", () => {
  expect(programs.length).toBeGreaterThan(10);
  for (const { line, kind } of programs) {
    expect(kind, `README.md:${line}`).toMatch(/^(?:run|fragment|file=\S+)$/);
  }
  expect(blocks.filter(({ language }) => !["js", "ts", "sh", "text", "diff"].includes(language))).toEqual([]);
});

test.each(programs.map(named))("%s: parses", (_, { code, language, line }) => {
  // What neither imports nor exports may be the inside of a function.
  const whole = /^(?:import|export)\b/m.test(code) ? code : `async () => {\n${code}\n};`;
  const { diagnostics = [] } = ts.transpileModule(whole, {
    fileName: `readme.${language}`,
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const messages = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(messages, `README.md:${line}`).toEqual([]);
});

describe.each(["first", "batch"])("the programs of examples/%s", (name) => {
  const files = programs.filter(({ kind }) => kind.startsWith(`file=examples/${name}/`));
  const output = blocks.find(({ kind }) => kind === `output=examples/${name}/main.mjs`);

  test("are the ones in the README, byte for byte", async () => {
    const more = name === "first" ? ["server.mjs", "measure.mjs"] : [];
    expect(files.map(({ kind }) => basename(kind))).toEqual(["tasks.mjs", "main.mjs", ...more]);
    for (const { code, kind } of files) {
      expect(code).toBe(await readFile(join(root, kind.slice("file=".length)), "utf8"));
    }
  });

  test("copied from the README, they print what the README says", async () => {
    for (const { code, kind } of files) await write(`${name}/${basename(kind)}`, code);
    const { code, stdout, stderr } = await run(join(folder, name, "main.mjs"));
    expect(stderr).toBe("");
    expect(stdout).toBe(output?.code);
    expect(code).toBe(0);
  });
});

test("the server of the README, copied from there, answers, notices who leaves, and ends with 0", async () => {
  for (const { code, kind } of programs.filter((each) =>
    /^file=examples\/first\/(?:tasks|server)/.test(each.kind),
  ))
    await write(`server/${basename(kind)}`, code);
  process.env.PORT = String(await freePort());
  await using server = await serve(join(folder, "server/server.mjs"));
  expect(await askHttp(server.url, "/100000").answer).toMatchObject({ status: 200, body: "9592\n" });
  expect(await askHttp(server.url, "/elsewhere").answer).toMatchObject({ status: 404 });
  const asked = askHttp(server.url, "/9999999999");
  asked.answer.catch(() => {}); // there is none
  // The one that is answered after it has been asked after it.
  expect(await askHttp(server.url, "/100").answer).toMatchObject({ status: 200 });
  asked.leave();
  expect(await server.line(/^\/9999999999/)).toBe("/9999999999 RequestError: client disconnected");
  server.kill("SIGTERM");
  expect(await server.exit).toMatchObject(process.platform === "win32" ? {} : { code: 0, stderr: "" });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe("the TypeScript variant", () => {
  const files = programs.filter(({ language, kind }) => language === "ts" && kind.startsWith("file="));

  /** What the compiler says about main.ts and tasks.ts, each changed by `edit`. */
  async function check(where: string, edit = (code: string) => code): Promise<string[]> {
    const paths: string[] = [];
    for (const { code, kind } of files) paths.push(await write(`${where}/${kind.slice(5)}`, edit(code)));
    const config = ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file));
    const { options } = ts.parseJsonConfigFileContent(
      { ...config.config, files: [], include: [] },
      ts.sys,
      root,
    );
    const program = ts.createProgram(paths, options);
    return paths.flatMap((path) => {
      const file = program.getSourceFile(path);
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
        ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"),
      );
    });
  }

  test("compiles, and a wrong name or argument does not", async () => {
    expect(files.map(({ kind }) => kind)).toEqual(["file=tasks.ts", "file=main.ts"]);
    expect(await check("typed")).toEqual([]);
    expect(await check("misnamed", (code) => code.replace('"countPrimes"', '"countPrime"'))).not.toEqual([]);
    expect(await check("mistyped", (code) => code.replace("100_000", '"100_000"'))).not.toEqual([]);
  });

  test("runs, once compiled", async () => {
    for (const { code, kind } of files) {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      });
      await write(`compiled/${kind.slice(5).replace(/ts$/, "js")}`, outputText);
    }
    const { stdout, stderr } = await run(join(folder, "compiled/main.js"));
    expect(stderr).toBe("");
    expect(stdout).toBe("9592 9592\n");
  });
});

test.each(programs.filter(({ kind }) => kind === "run").map(named))(
  "%s: prints what its comments say",
  async (_, block) => {
    const file = await write(`run-${block.line}.mjs`, block.code);
    const { code, stdout, stderr } = await run(file);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const expected = [...block.code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => `${text}\n`);
    expect(stdout).toBe(expected.join(""));
  },
);

/** As GitHub names them in links. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

test.each([
  "README.md",
  "docs/interrupt.md",
  "docs/protocol.md",
  "docs/architecture.md",
  "docs/performance.md",
  "docs/figures/all.md",
])("the links of %s lead to headings and files that exist", async (page) => {
  const text = await readFile(join(root, page), "utf8");
  for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith("https://")) continue;
    const [file = "", heading] = target.split("#");
    const there = file === "" ? text : await readFile(join(root, page, "..", file), "utf8");
    if (heading !== undefined) expect(headingsOf(there), target).toContain(heading);
  }
});
