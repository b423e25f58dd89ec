import type { Live } from "./live";
import { Age } from "./parts";
import type { InputName, InputNow, ViewNow } from "./wire.gen";
import { boomWord, inputWord, lampWord, movementWord, say, tr } from "./words";

/** Divisions above which the deck is drawn loaded: more than wind and mud make. */
const LOADED_DIVISIONS = 20;

type Known = "on" | "off" | "dunno";
const known = (input: InputNow | undefined): Known => (!input || input.value === null || !input.fresh ? "dunno" : input.value ? "on" : "off");

const ARM_DEG = { down: 0, moving: -40, up: -78, fault: -40, unknown: -40 } satisfies Record<ViewNow["body"]["boom"], number>;

/** The lane from the side, as its inputs report it: nothing is drawn that no instrument has said. The arm stands where
 * the limit switches say, never where it was sent. */
export function Ground({ live, view, division }: { live: Live; view: ViewNow; division: number }) {
  const { inputs, boom, boom_at, lamp, asked, weight } = view.body;
  const at = (name: InputName): Known => known(inputs[name]);
  const wired = (name: InputName): boolean => name in inputs;
  const told = (name: InputName): string => `${say(inputWord[name])}: ${tr({ on: "occupied", off: "clear", dunno: "notKnown" }[at(name)] as "occupied")}`;
  const names = (Object.keys(inputWord) as InputName[]).filter(wired);
  const text = [...names.map(told), `${tr("barrier")}: ${say(boomWord[boom])}`, `${tr("lamp")}: ${say(lampWord[lamp])}`].join("; ");
  const loaded = weight.fresh && weight.gross_kg !== null && weight.gross_kg > LOADED_DIVISIONS * division;

  const Loop = ({ name, x, width }: { name: InputName; x: number; width: number }) => wired(name) ? (
    <g><rect class={`thing ${at(name)}`} x={x} y="103" width={width} height="14" rx="7" />{at(name) === "dunno" && <text x={x + width / 2} y="98" text-anchor="middle" class="faint">?</text>}
      <text class={`said ${at(name)}`} x={x + width / 2} y="146" text-anchor="middle">{say(inputWord[name])}</text></g>
  ) : null;
  const Eye = ({ name, x, anchor }: { name: InputName; x: number; anchor: "start" | "middle" | "end" }) => wired(name) ? (
    <g><line class={`thing ${at(name)}`} x1={x} y1="98" x2={x} y2="48" /><circle class={`thing ${at(name)}`} cx={x} cy="58" r="10" />
      {at(name) === "on" && <path class="cut" d={`M${x - 5} 53 ${x + 5} 63M${x + 5} 53 ${x - 5} 63`} />}
      <text class={`said ${at(name)}`} x={x} y="30" text-anchor={anchor}>{say(inputWord[name])}{at(name) === "dunno" ? " ?" : ""}</text></g>
  ) : null;

  return (
    <section class="panel ground" aria-label={tr("lane")}>
      <svg viewBox="0 0 680 178" role="img" aria-label={text} id="ground" data-boom={boom} data-lamp={lamp}>
        <line class="road" x1="0" y1="100" x2="500" y2="100" />
        <Loop name="loop_arrival" x={8} width={104} />
        <Eye name="beam_rear" x={142} anchor="middle" />
        <rect class={loaded ? "deck on" : "deck"} x="152" y="100" width="206" height="20" /><text class="faint" x="255" y="146" text-anchor="middle">{tr("deck")}</text>
        <Eye name="beam_front" x={368} anchor="end" />
        <Loop name="loop_boom" x={384} width={104} />
        <Eye name="photocell" x={436} anchor="middle" />

        <rect class="post" x="524" y="88" width="16" height="56" rx="3" />
        <line class={`arm ${boom === "unknown" || boom === "moving" ? "dunno" : boom === "fault" ? "bad" : ""}`} x1="532" y1="94" x2="668" y2="94" transform={`rotate(${ARM_DEG[boom]} 532 94)`} />
        {(boom === "unknown" || boom === "fault") && <text x="640" y="60" text-anchor="middle">{boom === "fault" ? "✕" : "?"}</text>}
        <g transform="translate(550 108)"><rect class="lampbox" width="30" height="34" rx="6" />
          {lamp === "red" && <><circle class="red" cx="15" cy="17" r="11" /><rect class="lampbox" x="8" y="14.5" width="14" height="5" stroke="none" /></>}
          {lamp === "green" && <path class="green" d="M15 5 26 18H19V29H11V18H4Z" />}
          {lamp === "off" && <circle class="bulb" cx="15" cy="17" r="10" />}
          {lamp === "unknown" && <text x="15" y="25" text-anchor="middle">?</text>}
        </g><text x="588" y="133">{say(lampWord[lamp])}</text>
        <text x="490" y="172" text-anchor="end">{asked ? `${tr("commanded")}: ${say(movementWord[asked])} …` : ""}</text>
        <text x="506" y="172" class={boom === "fault" ? "said on" : "said"}>{tr("barrier")} {say(boomWord[boom])}</text>
      </svg>
      <span class="unseen">{tr("barrier")} <Age live={live} at={boom_at} /></span>
    </section>
  );
}
