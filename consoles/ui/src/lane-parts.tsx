import type { Live } from "./live";
import { lookOf } from "./looks";
import { ageText, clockText, kg, percent, plateText, signed } from "./numbers";
import { Age, Band, Both, Mark } from "./parts";
import type { LaneCard, LineNow, ReadNow, Step, ViewNow } from "./wire.gen";
import { checkWord, clearsWord, directionWord, foundWord, leadsWord, readWord, say, stateWord, stepWord, tr, verbWord, weightWord, wordOf } from "./words";

const glyph = { wait: "·", run: "▶", ok: "✓", fail: "✕" } satisfies Record<Step["result"], string>;

/** The eight steps with their seconds; the running one counts on between two views. */
export function Steps({ live, view, running }: { live: Live; view: ViewNow; running: boolean }) {
  return (
    <ol class="steps" aria-label={tr("steps")}>
      {view.body.steps.map((step) => {
        const seconds = step.seconds + (step.result === "run" && running ? Math.max(0, live.now.value - view.at) : 0);
        return (
          <li key={step.step} class={step.result} aria-current={step.result === "run" ? "step" : undefined}>
            <b><span class="glyph" aria-hidden="true">{glyph[step.result]}</span>{say(stepWord[step.step])}</b>
            <small class="num" title={say(step.note)}>{step.result === "wait" || (step.result === "fail" && say(step.note)) ? "" : `${seconds.toFixed(1)} s`} {say(step.note)}</small>
          </li>
        );
      })}
    </ol>
  );
}

type Shown = { gross_kg: number | null; status: string; settled_kg: number | null; uncertainty_kg: number | null; at: number | null; axles: number | null };

/** The weight at 22 arc minutes from three metres, as a position beside the declaration, with its age. */
export function Weight({ live, view, card, weight, fresh }: { live: Live; view: ViewNow; card: LaneCard; weight: Shown | null; fresh: boolean }) {
  const order = view.body.order, declared = order?.declared_kg ?? null, tolerance = order?.tolerance_kg ?? null;
  const gross = weight?.gross_kg ?? null, settled = weight?.settled_kg ?? null;
  // Only a settled weight is held against the declaration: a truck that drives on or off weighs anything.
  const off = declared !== null && settled !== null ? settled - declared : null;
  const out = off !== null && tolerance !== null && Math.abs(off) > tolerance;
  const spread = declared === null ? 0 : Math.max((tolerance ?? 0) * 3, declared * 0.15);
  const from = declared === null ? 0 : Math.max(0, declared - spread), to = declared === null ? card.max_kg : declared + spread;
  const odd = weight !== null && !["stable", "motion"].includes(weight.status);
  const status = weight ? wordOf(weightWord, weight.status) : tr("none");
  // One axle at a time: what the indicator shows is no truck's weight, and the sum says what it is.
  const byAxles = view.body.weight.by_axles, name = tr(byAxles ? "axleLoad" : "gross");
  const text = gross === null ? status : `${kg(gross)} kg, ${status}`;
  return (
    <section class={fresh ? "panel weight" : "panel weight stale"} aria-label={name}>
      <div class="row head"><span><span class="label">{name} · </span><span class={odd ? "status odd" : "status"} id="weight-status">{status}</span></span>
        {off !== null && <span class={out ? "off out num" : "off num"} id="off">{out ? "✕ " : ""}{signed(off)} kg {declared ? percent(off / declared) : ""}</span>}
        <span class="dim"><Age live={live} at={weight?.at} /></span></div>
      <output id="gross" class={gross !== null && Math.abs(gross) <= 2 * card.division_kg ? "calm" : ""}>{gross === null ? "– – –" : kg(gross).split(/(,)/).map((part, i) => (part === "," ? <i key={i}>,</i> : part))} <small>kg</small></output>
      <div class="row">
        {settled !== null ? <span>{tr(byAxles ? "axleSum" : "settled")} <b class="num" id="settled">{kg(settled)}{weight?.uncertainty_kg == null ? "" : ` ± ${kg(weight.uncertainty_kg)}`}</b></span> : <span class="dim">{view.body.passage === null ? "" : byAxles && weight?.axles != null ? `${tr("axlesSoFar")} ${weight.axles}` : tr("notSettled")}</span>}
        {declared !== null && <span><span class="dim">{tr("declared")}</span> <b class="num">{kg(declared)}{tolerance === null ? "" : ` ± ${kg(tolerance)}`}</b></span>}
      </div>
      <div>
        <Band label={byAxles ? tr("axleSum") : tr("gross")} value={fresh ? (settled ?? (byAxles ? null : gross)) : null} judged={settled !== null} low={declared !== null && tolerance !== null ? declared - tolerance : null} high={declared !== null && tolerance !== null ? declared + tolerance : null} from={from} to={to} text={text} />
        <div class="ends num" aria-hidden="true"><span>{kg(Math.round(from))}</span>{declared === null && <span>{tr("fullScale")}</span>}<span>{kg(Math.round(to))}</span></div>
      </div>
    </section>
  );
}

const UNSURE = 0.9;

function Check({ read }: { read: ReadNow }) {
  if (read.check === "none") return null;
  const tag = read.what === "tag", good = read.check === "ok";
  return <span class={good ? "" : "bad"}>{good ? "✓" : "✕"} <span class={good ? "unseen" : ""}>{tr(tag ? (good ? "tagOk" : "tagBad") : good ? "checkOk" : "checkBad")}</span></span>;
}

/** What was read of the truck, how sure, how long ago. */
export function Reads({ live, view }: { live: Live; view: ViewNow }) {
  const reads = view.body.reads;
  return (
    <section class="panel reads" aria-label={tr("reads")} tabIndex={reads.length > 2 ? 0 : undefined}>
      {reads.length === 0 ? <p class="dim">{tr("noReads")}</p> : (
        <table>
          <tbody>
            {reads.map((read) => (
              <tr key={`${read.what} ${read.text}`}>
                <th scope="row">{say(readWord[read.what])}</th>
                <td><output>{read.what === "plate" || read.what === "trailer" ? plateText(read.text) : read.text}</output> <Check read={read} /></td>
                <td class="far">{read.confidence !== null && <span class={read.confidence < UNSURE ? "num low" : "num"}>{Math.round(read.confidence * 100)} %</span>}</td>
                <td class="far"><Age live={live} at={read.at} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function HeldOrder({ live, view }: { live: Live; view: ViewNow }) {
  const order = view.body.order;
  if (!order) return view.body.state === "empty" || view.body.state === "waking" ? null : <p class="held-order">{tr("noOrder")}</p>;
  const left = order.expires_at - live.now.value;
  return (
    <div class="held-order" id="order">
      <div><span>{tr("order")} <b>{say(verbWord[order.verb])}</b></span><span>{tr("issuer")} <b>{order.persons.length ? order.persons.join(" + ") : order.issuer}</b></span>
        <span>{left > 0 ? <>{tr("valid")} <b class="num">{ageText(left)}</b></> : <b class="over">{tr("expired")} {clockText(order.expires_at)}</b>}</span></div>
      {say(order.reason) && view.body.reasons.length < 3 && <div>{say(order.reason)}</div>}
    </div>
  );
}

/** A value of a check as a person reads it. */
function shownOf(line: LineNow, text: string): string {
  if (line.check === "direction") return say(text === "out" ? directionWord.out : directionWord.in);
  return line.check === "weight" ? `${kg(Number(text))} kg` : text;
}

/** Declared against seen, one line a check. */
function Lines({ view }: { view: ViewNow }) {
  // The lane's own direction alone says nothing.
  const lines = view.body.lines.filter((line) => line.found !== "free" || (line.seen.length > 0 && line.check !== "direction"));
  if (view.body.passage === null || lines.length === 0) return null;
  return (
    <table class="lines" id="lines" aria-label={tr("matching")}>
      <thead><tr><th>{tr("matching")}</th><th>{tr("declared")}</th><th>{tr("seen")}</th><th /></tr></thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.check} data-found={line.found}>
            <th scope="row">{say(checkWord[line.check])}</th>
            <td>{line.declared.map((text) => shownOf(line, text)).join(" ") || "–"}</td>
            <td>{line.seen.map((text) => shownOf(line, text)).join(" ") || "–"}{line.by_axles && line.seen.length > 0 && <small> {tr("axleSumNote")}</small>}{line.by && <small> {tr("corrected")} {line.by}</small>}</td>
            <td class="far"><span class={line.found === "differs" ? "bad" : "dim"}>{line.found === "same" ? "✓" : line.found === "differs" ? "✕" : "·"} {say(foundWord[line.found])}</span>{line.found === "differs" && <small> → {say(leadsWord[line.leads])}</small>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What holds beside the decision: an order that waits for a second person, a boom that is held open. */
export function Notices({ live, view, locked, onCountersign }: { live: Live; view: ViewNow; locked: boolean; onCountersign?: () => void }) {
  const { awaits, kept } = view.body, now = live.now.value;
  if (!awaits && !kept) return null;
  return (
    <ul class="notices" role="status">
      {kept && <li id="kept"><b>{tr("heldOpen")}</b> {tr("until")} <b class="num">{clockText(kept.until)}</b> · {kept.persons.join(" + ")} · <b class="num">{kept.passed}</b> {tr("passedUnder")}</li>}
      {awaits && <li id="awaits"><span><b>{tr("awaitsSecond")}</b> {say(verbWord[awaits.verb])} · {awaits.person} · {say(awaits.reason)} · {tr("lapses")} <b class="num">{ageText(Math.max(0, awaits.lapses_at - now))}</b></span>{onCountersign && <button type="button" id="countersign" disabled={locked} onClick={onCountersign}>{tr("countersign")}</button>}</li>}
    </ul>
  );
}

/** The decision, and every reason at once: the sentence to read aloud, what clears it, who. */
export function Decision({ live, view, fresh }: { live: Live; view: ViewNow; fresh: boolean }) {
  const shown = lookOf(view.body), reasons = view.body.reasons;
  return (
    <section class="panel decision" aria-label={tr("decision")} tabIndex={reasons.length > 1 ? 0 : undefined}>
      <div class={`banner ${shown.kind}`} id="decision" role="status">
        {shown.mark && <Mark priority={shown.mark} />}
        <strong><Both pair={shown.pair} /></strong>
        {fresh && shown.kind !== "calm" && <span class="with">{shown.pair !== stateWord.fault && <span class="state">{wordOf(stateWord, view.body.state)}</span>}{reasons.length > 1 && <span>{reasons.length} × {tr("reasons")}</span>}</span>}
      </div>
      {reasons.length > 0 && (
        <ul class="why" aria-label={tr("reasons")}>
          {reasons.map((reason) => <li key={reason.code}><b>{say(reason.say)}</b><span>→ {say(reason.remedy)} <em>· {say(clearsWord[reason.clears])}</em></span></li>)}
        </ul>
      )}
      <Lines view={view} />
      <HeldOrder live={live} view={view} />
    </section>
  );
}
