import type { ViewBody } from "./wire.gen";
import { decisionWord, stateWord } from "./words";

export type Look = { kind: "calm" | "solid" | "p1" | "p2" | "p3"; mark: 1 | 2 | 3 | null; pair: [string, string] };

/** How a decision looks, on every page alike. Release is normal, so it is not green but solid ink; colour stands only
 * where somebody must do something. A refusal that waiting may clear is a 2, one that needs a person is a 1. */
export function lookOf({ decision, state, reasons }: ViewBody): Look {
  if (state === "fault") return { kind: "p1", mark: 1, pair: stateWord.fault };
  if (decision === "none") return { kind: "calm", mark: null, pair: state in stateWord ? stateWord[state as keyof typeof stateWord] : decisionWord.none };
  if (decision === "release") return { kind: "solid", mark: null, pair: decisionWord.release };
  if (decision === "override") return { kind: "p3", mark: 3, pair: decisionWord.override };
  const waiting = decision === "refused" && reasons.every((reason) => reason.clears === "by itself");
  const mark = decision === "refuse" || (decision === "refused" && !waiting) ? 1 : 2;
  return { kind: `p${mark}`, mark, pair: decisionWord[decision] };
}
