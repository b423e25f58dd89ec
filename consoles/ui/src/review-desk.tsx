import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Live } from "./live";
import { ageText } from "./numbers";
import { ask, askMe } from "./review-state";
import { SaidLine } from "./review-side";
import { readTile } from "./xray-tile";
import { XrayView } from "./xray-view";
import type { DeskNow, Hello, Me, Said } from "./wire.gen";
import { secondWord } from "./words-review";
import { roleWord, say, tr, wordOf } from "./words";

/** Person and PIN; the seat lasts a shift. */
export function SignIn({ hello }: { hello: Hello }) {
  const persons = hello.persons.filter((p) => p.role !== "operator");
  const [person, setPerson] = useState<string | null>(persons.length === 1 ? persons[0]!.id : null), [pin, setPin] = useState(""), [busy, setBusy] = useState(false), [said, setSaid] = useState<Said | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || person === null || pin === "") return;
    setBusy(true);
    const given = pin;
    setPin("");
    const told = await ask<Said>("/api/inspection/seat", { person, pin: given });
    setBusy(false); setSaid(told);
    if (told?.kind === "done") await askMe();
  };
  return (
    <form class="panel seat" onSubmit={(e) => void submit(e)} autocomplete="off">
      <h2>{tr("takeSeat")}</h2>
      <fieldset><legend>{tr("whoReads")}</legend>
        <div class="choices">{persons.length === 0 && <p>{tr("noPersons")}</p>}
          {persons.map((p) => <label key={p.id}><input type="radio" name="person" value={p.id} checked={person === p.id} onChange={() => setPerson(p.id)} /><span>{say(p)} <small class="dim">{say(roleWord[p.role])}</small></span></label>)}</div>
      </fieldset>
      <label class="field"><span>{tr("pin")}</span><input id="pin" type="password" inputMode="numeric" autocomplete="off" maxLength={32} value={pin} onInput={(e) => setPin(e.currentTarget.value)} /></label>
      <p class={said ? "told bad" : "told"} role="status" id="said">{said && <SaidLine said={said} />}</p>
      <button type="submit" class="go" id="sit" disabled={busy || person === null || pin === ""}>{tr("takeSeat")}</button>
      <p class="dim">{tr("seatFor")}</p>
    </form>
  );
}

/** Between two scans: what waits, who reads, how the shift goes, what is being scanned now. */
export function Desk({ live, me, hello, locked, said }: { live: Live; me: Me; hello: Hello; locked: boolean; said: Said | null }) {
  const desk = live.known.value.desk, head = me.role === "supervisor", person = (id: string): string => { const p = hello.persons.find((q) => q.id === id); return p ? say(p) : id; };
  const [told, setTold] = useState<Said | null>(null), next = useRef<HTMLButtonElement>(null);
  const oldest = Math.max(0, ...me.queue.filter((row) => !row.taken && !row.damaged).map((row) => row.waits_s));
  const sum = (of: (t: Me["tallies"][number]) => number): number => me.tallies.reduce((all, t) => all + of(t), 0), share = (part: number, all: number): string => (all ? `${Math.round((100 * part) / all)} %` : "–");
  const due = me.rest.reading_s > me.rest.due_s;
  const take = async (): Promise<void> => {
    const answer = await ask<Said>("/api/inspection/next", {});
    setTold(answer?.kind === "done" ? null : answer);
    await askMe();
  };
  useEffect(() => { next.current?.focus(); }, []);
  useEffect(() => {
    const press = (e: KeyboardEvent): void => {
      if (e.key.toLowerCase() === "n" && !e.ctrlKey && !e.altKey && !e.metaKey && !e.repeat && !locked && !head && me.waiting > 0 && !(e.target as HTMLElement).matches("input, textarea")) void take();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [locked, head, me.waiting]);
  return (
    <div class="desk">
      <div class="desk-left">
        <section class="panel take">
          {said && <p class="recorded" role="status" id="recorded"><b>✓ {tr("recorded")}</b>{said.lanes.length > 0 && <> · {tr("sentTo")} <b>{said.lanes.join(" ")}</b></>}{said.say && <> · {say(said.say)}</>}</p>}
          {due && <p class="rest-due" role="status" id="rest-due"><b>{tr("restDue")} {ageText(me.rest.reading_s)}</b> · {tr("restAdvice")} <button type="button" onClick={() => void ask("/api/inspection/rest", {}).then(askMe)}>{tr("rested")}</button></p>}
          {!head && <button ref={next} type="button" class="go big" id="next" disabled={locked || me.waiting === 0} onClick={() => void take()}>{tr("nextScan")}<kbd>N</kbd></button>}
          <p><b class="num" id="waiting">{head ? (desk?.waiting ?? 0) : me.waiting}</b> {tr("waitingScans")} · <b class="num">{desk?.taken ?? 0}</b> {tr("inReview")} {oldest > 0 && <>· {tr("oldest")} <b class="num">{ageText(oldest)}</b></>} {!head && <span class="dim">· {tr("chance")}</span>}</p>
          {told && <p class="told bad" role="status"><SaidLine said={told} /></p>}
        </section>
        <section class="panel tallies"><h2>{tr("tallies")}</h2>
          {me.tallies.length === 0 ? <p class="dim">{tr("noTallies")}</p> : <table id="tallies"><thead><tr><th>{tr("person")}</th><th class="r">{tr("readings")}</th><th class="r">{tr("clearShare")}</th><th class="r">{tr("openShare")}</th><th class="r">{tr("median")}</th>{head && <th class="r">{tr("agreed")}</th>}</tr></thead>
            <tbody>{me.tallies.map((t) => <tr key={t.person}><td>{person(t.person)}</td><td class="r num">{t.readings}</td><td class="r num">{t.clear} <small class="dim">{share(t.clear, t.readings)}</small></td><td class="r num">{t.open} <small class="dim">{share(t.open, t.readings)}</small></td><td class="r num">{ageText(t.median_s)}</td>{head && <td class="r num">{t.twice ? <>{t.agreed}/{t.twice} <small class="dim">{share(t.agreed, t.twice)}</small></> : "–"}</td>}</tr>)}
              {head && me.tallies.length > 1 && <tr class="all"><th scope="row">{tr("allReadings")}</th><td class="r num">{sum((t) => t.readings)}</td><td class="r num">{sum((t) => t.clear)} <small class="dim">{share(sum((t) => t.clear), sum((t) => t.readings))}</small></td><td class="r num">{sum((t) => t.open)} <small class="dim">{share(sum((t) => t.open), sum((t) => t.readings))}</small></td><td /><td class="r num">{sum((t) => t.agreed)}/{sum((t) => t.twice)}</td></tr>}</tbody></table>}
        </section>
      </div>
      <div class="desk-right">
        <Waterfalls desk={desk} />
        <section class="panel queue"><h2>{tr("queue")}</h2>
          {me.queue.length === 0 ? <p class="dim" id="nothing">{tr("nothingWaits")}</p> : (
            <div class="scroll" tabIndex={0} role="region" aria-label={tr("queue")}><table id="queue"><thead><tr><th>{tr("task")}</th><th>{tr("container")}</th><th>{tr("scanner")}</th><th>{tr("status")}</th>{head && <th>{tr("reader")}</th>}{head && <th>{tr("reading")}</th>}<th class="r">{tr("waits")}</th></tr></thead>
              <tbody>{me.queue.map((row) => <tr key={row.number} class={row.taken ? "taken" : ""}><td class="num">#{row.number}</td><td>{row.containers.join(" ") || row.plate || "–"}</td><td>{row.scanner}</td><td>{row.damaged ? <b class="warn">{tr("damagedScan")}</b> : row.torn ? <b class="warn">{tr("tornScan")}</b> : tr(row.taken ? "taken2" : "waiting2")}</td>{head && <td>{row.holder ? person(row.holder) : "–"}</td>}{head && <td>{row.reading} {say(wordOf2(row.why))}</td>}<td class="r num">{ageText(row.waits_s)}</td></tr>)}</tbody></table></div>
          )}
        </section>
      </div>
    </div>
  );
}
const wordOf2 = (why: string): [string, string] => secondWord[why as keyof typeof secondWord] ?? [wordOf({}, why), why];

const watching = signal<string | null>(null);

/** Scanners at work, and the picture of one as it grows. */
function Waterfalls({ desk }: { desk: DeskNow | null }) {
  const names = desk?.scanning ?? [];
  const shown = watching.value;
  return (
    <section class="panel waterfalls"><h2>{tr("scanningNow")} {names.length === 0 && shown === null && <small class="dim">{tr("noScanning")}</small>}</h2>
      <div class="row">{names.map((name) => <button type="button" key={name} aria-pressed={shown === name} onClick={() => { watching.value = shown === name ? null : name; }}>{name} · {tr(shown === name ? "hideLive" : "watchLive")}</button>)}
        {shown !== null && !names.includes(shown) && <button type="button" aria-pressed="true" onClick={() => { watching.value = null; }}>{shown} · {tr("hideLive")}</button>}</div>
      {shown !== null && <Waterfall key={shown} scanner={shown} />}
    </section>
  );
}

const LONGEST_ROWS = 24_000;

function Waterfall({ scanner }: { scanner: string }) {
  const canvas = useRef<HTMLCanvasElement>(null), [state, setState] = useState<"none" | "scan" | "end">("none"), rows = useRef(0);
  useEffect(() => {
    const element = canvas.current!;
    element.width = Math.round(element.clientWidth * (devicePixelRatio || 1)); element.height = Math.round(element.clientHeight * (devicePixelRatio || 1));
    let view: XrayView | null = null;
    try { view = new XrayView(element); } catch { return; }
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/xray/scanning/${encodeURIComponent(scanner)}`);
    socket.binaryType = "arraybuffer";
    let turn: Promise<void> = Promise.resolve(), level = 2;
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      turn = turn.then(async () => {
        if (typeof event.data === "string") {
          const told = JSON.parse(event.data) as { t: "scan" | "end"; pixels: number; x_mm: number; y_mm: number; level: number };
          setState(told.t);
          if (told.t === "scan") { level = told.level; rows.current = 0; view!.open({ rows: LONGEST_ROWS, pixels: told.pixels, levels: 4, tile: 512, air: 60000, x_mm: told.x_mm, y_mm: told.y_mm }); view!.grow(1); view!.fit(); }
        } else {
          const tile = await readTile(event.data);
          rows.current = (tile.x + tile.width) * 2 ** level;
          element.dataset.rows = String(rows.current);
          view!.put(tile); view!.grow(rows.current); view!.fit();
        }
      });
    };
    return () => socket.close();
  }, [scanner]);
  return <div class="waterfall"><canvas ref={canvas} id="waterfall" data-state={state} role="img" aria-label={`${tr("scanningNow")} ${scanner}`} /><span class="dim" role="status">{state === "scan" ? tr("truckPasses") : state === "end" ? tr("scanOver") : tr("noScanning")}</span></div>;
}
