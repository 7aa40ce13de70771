/** What can be done to a pool. Tasks, inputs and all else that is asked for have numbers, the same in the models and in the real pool. */
import { inspect } from "node:util";
import { briefly, type Part } from "./parts.js";

export interface Submission {
  readonly id: number;
  readonly part: Part;
  /** Where in the list of contexts; -1: the background. */
  readonly ctx: number;
  readonly priority: number;
  /** ms; undefined: the pool's. */
  readonly grace: number | undefined;
  readonly onOverrun: "terminate" | "interrupt";
  /** Its result is listened to from the beginning. */
  readonly isHeard: boolean;
  isOpen: boolean;
}

export type Action =
  | {
      readonly do: "derive";
      readonly parent: number;
      readonly timeout: number;
      readonly cause: string | undefined;
    }
  | { readonly do: "submit"; readonly task: Submission }
  | {
      readonly do: "map";
      readonly id: number;
      readonly ctx: number;
      readonly inputs: readonly Submission[];
      readonly concurrency: number;
      readonly onError: "cancel" | "settle";
    }
  | { readonly do: "open"; readonly id: number }
  | { readonly do: "cancel task" | "cancel batch"; readonly id: number; readonly cause: string | undefined }
  | { readonly do: "cancel context"; readonly ctx: number; readonly cause: string | undefined }
  | { readonly do: "advance"; readonly ms: number }
  | {
      readonly do: "wait for room";
      readonly id: number;
      readonly ctx: number;
      /** Submitted as soon as there is. */
      readonly task: Submission | undefined;
    }
  | { readonly do: "close"; readonly id: number; readonly ctx: number | undefined }
  | { readonly do: "destroy"; readonly id: number }
  /** The event loop turns so often before the next one. */
  | { readonly do: "turns"; readonly count: number };

/** As it stands in the report of a sequence that fails. */
export function told(action: Action): string {
  switch (action.do) {
    case "derive":
      return `derive from context ${action.parent}${Number.isFinite(action.timeout) ? ` for ${action.timeout} ms` : ""}`;
    case "submit":
      return `submit ${toldTask(action.task)}`;
    case "map":
      return `map ${action.id} under context ${action.ctx}, concurrency ${action.concurrency}, on error ${action.onError}: ${action.inputs.map(({ id, part }) => `${id} (${briefly(part)})`).join("; ")}`;
    case "open":
      return `open the gate of ${action.id}`;
    case "cancel task":
    case "cancel batch":
      return `${action.do} ${action.id} with ${inspect(action.cause)}`;
    case "cancel context":
      return `cancel context ${action.ctx} with ${inspect(action.cause)}`;
    case "advance":
      return `advance ${action.ms} ms`;
    case "wait for room":
      return `wait ${action.id} for room under context ${action.ctx}${action.task === undefined ? "" : `, then submit ${toldTask(action.task)}`}`;
    case "close":
      return `close${action.ctx === undefined ? "" : ` under context ${action.ctx}`}`;
    case "destroy":
      return "destroy";
    case "turns":
      return `${action.count} turns`;
  }
}

function toldTask({ id, part, ctx, priority, grace, onOverrun, isHeard }: Submission): string {
  const options = [
    `context ${ctx}`,
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(grace === undefined ? [] : [`grace ${grace}`]),
    ...(onOverrun === "terminate" ? [] : [onOverrun]),
    ...(isHeard ? [] : ["nobody listens"]),
  ];
  return `${id} (${briefly(part)}; ${options.join(", ")})`;
}
