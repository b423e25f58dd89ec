import { useEffect, useRef, useState } from "preact/hooks";
import type { Live } from "./live";
import { plateText } from "./numbers";
import { Age, HoldButton } from "./parts";
import type { Command, Countersign, Hello, Outcome, ViewNow } from "./wire.gen";
import { clearsWord, localWord, outcomeWord, roleWord, say, tr } from "./words";

export type Asked = { verb: Command["verb"]; passage: string | null };
/** Real milliseconds: the server waits eight seconds for the lane, and three for the broker. */
const GIVE_UP_MS = 15_000;
/** This page, as an order names it: a second person signs on another one. */
const SCREEN = crypto.getRandomValues(new Uint32Array(2)).join("-");

/** What a person may do here, held and not clicked, and how the lane is connected. */
export function Commands({ live, view, locked, onAsk }: { live: Live; view: ViewNow; locked: boolean; onAsk: (verb: Command["verb"]) => void }) {
  const body = view.body, truck = body.passage !== null, advised = body.advised !== null, kept = body.kept !== null;
  return (
    <footer class="acts">
      <HoldButton id="release" disabled={locked || !truck} onHold={() => onAsk(advised ? "confirm" : "release")}>{tr(advised ? "confirmRelease" : "manualRelease")}<small>{tr(locked ? "locked" : truck ? "hold" : "noPassage")}</small></HoldButton>
      <HoldButton id="lower" disabled={locked} onHold={() => onAsk(kept ? "close" : "lower")}>{tr(kept ? "endHold" : "manualLower")}<small>{tr(locked ? "locked" : "hold")}</small></HoldButton>
      <dl class="panel facts">
        <div><dt>{tr("customs")}</dt>
        <dd id="clearance">{body.clearance_up ? <><b>{tr("up")}</b> <span class="dim"><Age live={live} at={body.clearance_since} /></span></> : <><span class="warn" id="local">✕ {body.local ? `${tr("localMode")}: ${say(localWord[body.local.rule])}` : tr("down")}</span> <Age live={live} at={body.clearance_since} /></>}</dd></div>
        <div><dt>{tr("unsent")}</dt><dd><b class="num" id="unsent">{body.unsent}</b> <span class="dim">{tr("toCustoms")}</span> <b class="num" id="queue">{body.queue}</b> <span class="dim">{tr("shiftOverrides")}</span> <b class="num" id="shift">{body.overrides_shift}</b></dd></div>
        <div><dt>{tr("today")}</dt><dd><b class="num">{body.passages_today}</b> {tr("passages")} · <b class="num">{body.refusals_today}</b> {tr("refusals")} · <b class="num">{body.overrides_today}</b> {tr("overrides")}</dd></div>
      </dl>
    </footer>
  );
}

const TITLE = { release: "manualRelease", hold_open: "holdOpen", lower: "manualLower", lower_now: "manualLower", close: "endHold", confirm: "confirmRelease" } as const;

async function send(lane: string, what: "orders" | "countersign", command: Command | Countersign): Promise<Outcome> {
  try {
    const answer = await fetch(`/api/lanes/${encodeURIComponent(lane)}/${what}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(command), signal: AbortSignal.timeout(GIVE_UP_MS) });
    return (await answer.json()) as Outcome;
  } catch {
    return { kind: "no answer", order: null, reasons: [], wait_s: null, left: null };
  }
}

function Told({ outcome }: { outcome: Outcome }) {
  return (
    <>
      <b>{outcome.kind === "accepted" || outcome.kind === "awaits" ? "✓" : "✕"} {say(outcomeWord[outcome.kind])}</b>
      {outcome.left !== null && <> · {tr("tries")} <span class="num">{outcome.left}</span></>}
      {outcome.wait_s !== null && <> · {tr("wait")} <span class="num">{Math.ceil(outcome.wait_s)} s</span></>}
      {outcome.kind === "no answer" && <> · {tr("orderMayStill")}</>}
      {outcome.reasons.length > 0 && <ul>{outcome.reasons.map((reason) => <li key={reason.code}><b>{say(reason.say)}</b> <span>→ {say(reason.remedy)} · {say(clearsWord[reason.clears])}</span></li>)}</ul>}
    </>
  );
}

/** Reason, person, PIN: the order is signed with that person's key and bound to the truck that was seen when the button was held. */
export function Orders({ lane, hello, view, asked, locked, onClose }: { lane: string; hello: Hello; view: ViewNow; asked: Asked; locked: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null), field = useRef<HTMLInputElement>(null);
  const [reason, setReason] = useState<Command["reason"] | null>(null), [note, setNote] = useState("");
  const persons = hello.persons.filter((p) => p.role !== "inspector");
  const [person, setPerson] = useState<string | null>(persons.length === 1 ? persons[0]!.id : null);
  /** A release may be for longer than one truck; a lowering may be one that cannot wait. */
  const [minutes, setMinutes] = useState<number | null>(null), [atOnce, setAtOnce] = useState(false);
  const verb: Command["verb"] = asked.verb === "release" && minutes !== null ? "hold_open" : asked.verb === "lower" && atOnce ? "lower_now" : asked.verb;
  const [pin, setPin] = useState(""), [busy, setBusy] = useState(false), [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);

  const changed = asked.passage !== view.body.passage, done = outcome?.kind === "accepted" || outcome?.kind === "awaits";
  const ready = !busy && !done && !locked && !changed && reason !== null && person !== null && pin.length > 0 && (reason !== "other" || note.trim() !== "");
  const plate = view.body.reads.find((read) => read.what === "plate");
  const key = (digit: string): void => { setPin((before) => (before + digit).slice(0, 32)); field.current?.focus(); };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready || reason === null || person === null) return;
    setBusy(true); setOutcome(null);
    const command: Command = { verb, passage: asked.passage, person, pin, reason, note: note.trim(), screen: SCREEN, minutes };
    setPin("");
    const told = await send(lane, "orders", command);
    setBusy(false); setOutcome(told);
    if (told.kind === "wrong pin") field.current?.focus();
  };

  return (
    <dialog ref={dialog} aria-labelledby="ask" onClose={onClose}>
      <h2 id="ask">{tr(TITLE[asked.verb])}</h2>
      <p class="bound">{tr("sentFor")}: {tr("lane")} <b>{lane}</b>{asked.passage !== null && <> · {tr("passage")} <b>{asked.passage}</b></>}{plate && !changed && <> · <b>{plateText(plate.text)}</b></>}</p>
      <form class="order-form" onSubmit={(e) => void submit(e)} autocomplete="off">
        <div>
          {asked.verb === "release" && <fieldset class="how"><legend>{tr("howLong")}</legend><div class="choices row">
            {[null, 5, 15, 60].map((span) => <label key={span ?? 0}><input type="radio" name="span" checked={minutes === span} onChange={() => setMinutes(span)} disabled={busy || done} />{span === null ? tr("onceOnly") : <><b class="num">{span}</b> {tr("minutes")}</>}</label>)}
          </div></fieldset>}
          {asked.verb === "lower" && <label class="how"><input type="checkbox" id="at-once" checked={atOnce} onChange={() => setAtOnce(!atOnce)} disabled={busy || done} /> {tr("lowerNow")}</label>}
          <fieldset><legend>{tr("chooseReason")}</legend>
            <div class="choices two">
              {hello.whys.map((w) => <label key={w.code}><input type="radio" name="why" value={w.code} checked={reason === w.code} onChange={() => setReason(w.code)} disabled={busy || done} />{say(w.say)}</label>)}
            </div>
          </fieldset>
          <label class="field"><span>{tr("note")}{reason === "other" ? ` · ${tr("noteNeeded")}` : ""}</span><input name="note" maxLength={120} value={note} onInput={(e) => setNote(e.currentTarget.value)} disabled={busy || done} /></label>
        <div class={outcome && !done ? "told bad" : "told"} role="status" id="outcome">
          {busy ? tr("signing") : outcome ? <Told outcome={outcome} /> : changed ? <b>{tr(view.body.passage === null ? "truckGone" : "truckChanged")}</b> : locked ? <b>{tr("stale")}</b> : null}
        </div>
        </div>
        <div>
          <fieldset><legend>{tr("choosePerson")}</legend>
            <div class={persons.length > 2 ? "choices two" : "choices"}>
              {persons.length === 0 && <p>{tr("noPersons")}</p>}
              {persons.map((p) => <label key={p.id}><input type="radio" name="person" value={p.id} checked={person === p.id} onChange={() => setPerson(p.id)} disabled={busy || done} /><span>{say(p)} <small class="dim">{say(roleWord[p.role])}</small></span></label>)}
            </div>
          </fieldset>
          <label class="field"><span>{tr("pin")}</span><input ref={field} id="pin" type="password" inputMode="numeric" autocomplete="off" maxLength={32} value={pin} onInput={(e) => setPin(e.currentTarget.value)} disabled={busy || done} /></label>
          <div class="pad">
            {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((d) => <button type="button" key={d} onClick={() => key(d)} disabled={busy || done}>{d}</button>)}
            <button type="button" onClick={() => setPin("")} disabled={busy || done} aria-label={`${tr("erase")} *`}>C</button><button type="button" onClick={() => key("0")} disabled={busy || done}>0</button>
            <button type="button" onClick={() => setPin((before) => before.slice(0, -1))} disabled={busy || done} aria-label={tr("erase")}>⌫</button>
          </div>
        </div>
        <div class="ends-row">
          <button type="button" onClick={() => dialog.current?.close()}>{tr("cancel")}</button>
          <button type="submit" class="go" id="sign" disabled={!ready}>{tr("sign")}</button>
        </div>
      </form>
    </dialog>
  );
}

/** A second person signs the same bytes, here and not where the first has signed. */
export function Second({ lane, hello, order, onClose }: { lane: string; hello: Hello; order: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const persons = hello.persons.filter((p) => p.role !== "inspector");
  const [person, setPerson] = useState<string | null>(null), [pin, setPin] = useState(""), [busy, setBusy] = useState(false), [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  const done = outcome?.kind === "accepted";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || done || person === null || pin === "") return;
    setBusy(true); setOutcome(null);
    const asked: Countersign = { order, person, pin, screen: SCREEN };
    setPin("");
    const told = await send(lane, "countersign", asked);
    setBusy(false); setOutcome(told);
  };
  return (
    <dialog ref={dialog} aria-labelledby="second" onClose={onClose}>
      <h2 id="second">{tr("countersign")}</h2>
      <p class="bound">{tr("lane")} <b>{lane}</b> · {tr("order")} <b>{order}</b></p>
      <form onSubmit={(e) => void submit(e)} autocomplete="off">
        <fieldset><legend>{tr("choosePerson")}</legend>
          <div class="choices two">{persons.map((p) => <label key={p.id}><input type="radio" name="second" value={p.id} checked={person === p.id} onChange={() => setPerson(p.id)} disabled={busy || done} /><span>{say(p)} <small class="dim">{say(roleWord[p.role])}</small></span></label>)}</div>
        </fieldset>
        <label class="field"><span>{tr("pin")}</span><input id="pin2" type="password" inputMode="numeric" autocomplete="off" maxLength={32} value={pin} onInput={(e) => setPin(e.currentTarget.value)} disabled={busy || done} /></label>
        <div class={outcome && !done ? "told bad" : "told"} role="status" id="outcome2">{busy ? tr("signing") : outcome ? <Told outcome={outcome} /> : null}</div>
        <div class="ends-row"><button type="button" onClick={() => dialog.current?.close()}>{tr("cancel")}</button><button type="submit" class="go" id="sign2" disabled={busy || done || person === null || pin === ""}>{tr("sign")}</button></div>
      </form>
    </dialog>
  );
}
