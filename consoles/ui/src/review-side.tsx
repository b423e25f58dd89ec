import { useEffect, useRef, useState } from "preact/hooks";
import { kg, percent, plateText } from "./numbers";
import { Band, HoldButton } from "./parts";
import { LINEAR, PLAIN, PRESETS, type Reviewing } from "./review-state";
import { HE, LE } from "./xray-tile";
import type { Judge, Likeness, Papers, Said } from "./wire.gen";
import { findingWord, saidWord } from "./words-review";
import { clockText, dateText } from "./numbers";
import { checkWord, decisionWord, foundWord, readWord, say, tr, wordOf } from "./words";

type Finding = Judge["finding"];

/** Open the papers on a second screen; a second wish brings the same window to the front. */
const secondScreen = (): void => { window.open("/inspection/papers", "quaygate-papers", "popup,width=1200,height=900")?.focus(); };

/** What was declared, beside what was weighed and what the image says. */
export function PapersPanel({ papers, wide = false }: { papers: Papers; wide?: boolean }) {
  const { declared_kg: declared, tolerance_kg: tolerance, gross_kg: gross, image_kg: image } = papers;
  const off = declared !== null && gross !== null ? gross - declared : null, out = off !== null && tolerance !== null && Math.abs(off) > tolerance;
  const lines = papers.lines.filter((line) => line.found !== "free" || line.seen.length > 0), shown = wide ? lines : lines.filter((line) => line.found === "differs");
  const none = <span class="dim">{tr("notKnownYet")}</span>;
  return (
    <section class={wide ? "panel papers wide" : "panel papers"} aria-label={tr("papers")}>
      <h2>{tr("papers")}{!wide && <><span class="grow" /><button type="button" class="quiet small" id="second-screen" onClick={secondScreen}>{tr("secondScreen")}</button></>}</h2>
      {papers.targeted && <p class="targeted"><b>{tr("targeted")}</b> {say(papers.targeted)}</p>}
      <dl>
        <div><dt>{tr("container")}</dt><dd id="containers">{papers.containers.join(" ") || none}</dd></div>
        <div><dt>{say(readWord.plate)}</dt><dd>{papers.plate ? plateText(papers.plate) : none} {papers.lane && <span class="dim">{papers.lane}</span>}</dd></div>
        <div><dt>{tr("goods")}</dt><dd>{papers.goods || none} {papers.hs && <span class="dim">HS {papers.hs}</span>}</dd></div>
        <div><dt>{tr("declared")}</dt><dd class="num" id="declared">{declared === null ? none : <>{kg(declared)} kg</>}</dd></div>
        <div><dt>{tr("weighbridge")}</dt><dd class="num" id="weighed">{gross === null ? none : <>{kg(gross)} kg {off !== null && declared && <b class={out ? "off out" : "off"}>{out ? "✕ " : ""}{percent(off / declared)}</b>}</>}</dd></div>
        <div><dt>{tr("imageMass")}</dt><dd class="num">{image === null ? <span class="dim">–</span> : <>{kg(image)} kg {papers.image_sigma_kg !== null && <small class="dim">± {kg(papers.image_sigma_kg)}</small>}</>}</dd></div>
      </dl>
      {declared !== null && gross !== null && <Band label={tr("weighbridge")} value={gross} judged low={declared - (tolerance ?? 0)} high={declared + (tolerance ?? 0)} from={declared * 0.8} to={declared * 1.2} text={`${kg(gross)} kg, ${tr("declared")} ${kg(declared)} kg`} />}
      {shown.length > 0 && <table class="lines" aria-label={tr("matching")}><thead><tr><th>{tr("matching")}</th><th>{tr("declared")}</th><th>{tr("seen")}</th><th /></tr></thead>
        <tbody>{shown.map((line) => <tr key={line.check} data-found={line.found}><th scope="row">{say(checkWord[line.check])}</th><td>{line.declared.join(" ") || "–"}</td><td>{line.seen.join(" ") || "–"}</td><td class={line.found === "differs" ? "bad" : "dim"}>{line.found === "same" ? "✓" : line.found === "differs" ? "✕" : "·"} {say(foundWord[line.found])}</td></tr>)}</tbody></table>}
      {wide && papers.reads.length > 0 && <><h2>{tr("reads")}</h2><dl>{papers.reads.map((read, i) => <div key={i}><dt>{wordOf(readWord, read.what)}</dt><dd>{read.what === "plate" ? plateText(read.text) : read.text} {read.confidence !== null && <span class="dim num">{Math.round(100 * read.confidence)} %</span>}</dd></div>)}</dl></>}
      {wide && <><h2>{tr("beforeThis")}</h2>{papers.before.length === 0 ? <p class="dim">{tr("none")}</p> : <table class="lines" id="before"><tbody>{papers.before.map((row) => <tr key={row.passage}><td class="num">{dateText(row.opened_at)} {clockText(row.opened_at)}</td><td>{row.lane}</td><td class="r num">{row.gross_kg === null ? "–" : `${kg(row.gross_kg)} kg`}</td><td>{wordOf(decisionWord, row.decision)}</td></tr>)}</tbody></table>}</>}
      {papers.pictures.length > 0 && <><h2>{tr("lanePictures")}</h2><div class="shots" id="shots">{(wide ? papers.pictures : papers.pictures.slice(-2)).map((path) => <a key={path} href={path} target="_blank" rel="noopener"><img src={path} alt={`${tr("lanePictures")} ${path.slice(path.lastIndexOf("/") + 1)}`} /></a>)}</div></>}
      {wide && papers.pictures.length === 0 && <p class="dim">{tr("noPictures")}</p>}
    </section>
  );
}

/** Window and level; the probe's answer. */
export function ImagePanel({ at }: { at: Reviewing }) {
  const look = at.look.value, logs = look.logs, probe = at.probe.value, value = probe?.value;
  const slide = (name: "level" | "width", low: number, high: number, text: string) => (
    <label class="slide"><span>{tr(name)}</span><input type="range" id={name} min={low} max={high} step={(high - low) / 400} value={look[name]} onInput={(e) => at.show({ [name]: Number(e.currentTarget.value) })} /><output class="num">{text}</output></label>
  );
  return (
    <section class="panel image" aria-label={tr("width")}>
      {slide("level", logs ? -0.5 : 0, logs ? 7 : 1.1, look.level.toFixed(2))}
      {slide("width", logs ? 0.1 : 0.02, logs ? 8 : 1.1, look.width.toFixed(2))}
      <div class="presets">{(Object.keys(PRESETS) as (keyof typeof PRESETS)[]).map((name, i) => <button type="button" key={name} class="quiet" onClick={() => at.show({ logs: true, level: PRESETS[name][0], width: PRESETS[name][1] })}>{tr(name)}<kbd>⇧{i + 1}</kbd></button>)}</div>
      <h2>{tr("probe")} {!probe ? <small class="dim">{tr("probeHow")}</small> : <small class="dim num">{probe.width} × {probe.height} {tr("pixelsMeasured")}{probe.value.pixels < probe.value.of ? ` · ${probe.value.pixels}/${probe.value.of}` : ""}</small>}</h2>
      {value && !at.task.measured && <p class="dim small-note">{tr("simulatedColour")}</p>}
      {value && (value.he === null || value.le === null ? <p id="probe">{tr("notMeasured")}</p> : (
        <dl id="probe">
          <div><dt>{tr("archiveValues")}</dt><dd class="num"><span id="probe-he">{value.he.toFixed(1)}</span> / <span id="probe-le">{value.le.toFixed(1)}</span></dd></div>
          <div><dt>{tr("transmission")}</dt><dd class="num">{((100 * value.he) / at.task.card.air).toPrecision(3)} / {((100 * value.le) / at.task.card.air).toPrecision(3)} %</dd></div>
          <div><dt>{tr("alpha")}</dt><dd class="num">{value.he_alpha!.toFixed(3)}</dd></div>
          <div><dt>{tr("ratio")}</dt><dd class="num">{value.ratio === null ? "–" : value.ratio.toFixed(3)}</dd></div>
          {value.material && <>
            <div><dt>{tr("material")}</dt><dd id="probe-material"><b>{say(value.material.name)}</b> {value.material.sure > 0 && <span class="dim num">{Math.round(100 * value.material.sure)} %</span>}{value.material.also.length > 0 && <small class="dim"> {tr("orElse")} {value.material.also.map(say).join(" ")}</small>}</dd></div>
            {value.material.z !== null && <div><dt>{tr("effectiveZ")}</dt><dd class="num">{value.material.z.toFixed(1)} <small class="dim">± {value.material.z_sigma!.toFixed(1)}</small></dd></div>}
            <div><dt>{tr("density")}</dt><dd class="num" id="probe-density">{value.material.g_cm2.toFixed(1)} <small class="dim">± {value.material.g_cm2_sigma.toFixed(1)} g/cm²</small></dd></div>
            <div><dt>{tr("steelLike")}</dt><dd class="num">{value.material.steel_mm.toFixed(0)} <small class="dim">± {value.material.steel_sigma.toFixed(1)} {tr("mm")}</small></dd></div>
          </>}
        </dl>
      ))}
    </section>
  );
}

/** The marks as text, each with its words. */
export function MarksPanel({ at }: { at: Reviewing }) {
  const marks = at.marks.value, { card } = at.task;
  return (
    <section class="panel marks" aria-label={tr("marks")}>
      <h2>{tr("marks")} <output class="num" id="mark-count">{marks.length}</output> {marks.length === 0 && <small class="dim">{tr("noMarks")}</small>}</h2>
      {marks.length > 0 && <ul tabIndex={0} aria-label={tr("marks")}>{marks.map((m) => (
        <li key={m.name} class={m.name === at.chosen.value ? "chosen" : ""}>
          <b>{m.name}</b><span class="dim num">{((m.width * card.x_mm) / 1000).toFixed(2)} × {((m.height * card.y_mm) / 1000).toFixed(2)} m</span>
          <input aria-label={`${tr("markNote")} ${m.name}`} placeholder={tr("markNote")} maxLength={120} value={m.note} onFocus={() => { at.chosen.value = m.name; }} onInput={(e) => { at.marks.value = marks.map((o) => (o.name === m.name ? { ...o, note: e.currentTarget.value } : o)); at.touch(); }} />
          <button type="button" class="quiet small" aria-label={`${tr("probe")} ${m.name}`} title={tr("probe")} onClick={() => void at.measureMark(m.name)}>Σ</button>
          <button type="button" class="quiet small" aria-label={`${tr("removeMark")} ${m.name}`} onClick={() => at.removeMark(m.name)}>✕</button>
        </li>
      ))}</ul>}
    </section>
  );
}

/** Verdicts are held, then signed; «clear» opens when all of the load was looked at. */
export function VerdictPanel({ at, locked, onVerdict, onBack }: { at: Reviewing; locked: boolean; onVerdict: (finding: Finding) => void; onBack: () => void }) {
  const torn = at.task.card.torn, whole = at.allSeen.value, stop = locked || at.lost.value;
  return (
    <section class="panel verdict" aria-label={tr("verdict")}>
      <h2>{tr("verdict")} <span class="grow" /><small class="dim" id="kept" data-kept={at.kept.value}>{at.kept.value === "no" ? <b class="warn">{tr("draftNotKept")}</b> : tr(at.kept.value === "yes" ? "draftKept" : "draftSaving")}</small></h2>
      {torn ? <p class="warn-box" id="torn">{tr("tornScan")}</p> : <p class={whole ? "hint dim" : "hint"} id="hint">{whole ? `${tr("holdKey")} C / S` : tr("unseenLeft")}</p>}
      <div class="two-buttons">
        <HoldButton id="clear" disabled={stop || !whole || torn} ms={600} onHold={() => onVerdict("clear")}>{tr("clearVerdict")}<kbd>C</kbd></HoldButton>
        <HoldButton id="open" disabled={stop || torn} ms={600} onHold={() => onVerdict("open")}>{tr("openVerdict")}<kbd>S</kbd></HoldButton>
      </div>
      <div class="three-buttons">
        <HoldButton id="suspect" disabled={stop || torn} ms={600} onHold={() => onVerdict("suspect")}>{tr("suspectVerdict")}</HoldButton>
        <HoldButton id="again" disabled={stop} ms={600} onHold={() => onVerdict("again")}>{tr("againVerdict")}</HoldButton>
        <button type="button" class="quiet" id="back" disabled={stop} onClick={onBack}>{tr("putBack")}</button>
      </div>
    </section>
  );
}

/** PIN and, if wanted, words: the verdict is signed with the reader's own key. */
export function Signing({ at, finding, onClose, onWay, onDone }: { at: Reviewing; finding: Finding; onClose: () => void; onWay: (is: boolean) => void; onDone: (said: Said) => void }) {
  const dialog = useRef<HTMLDialogElement>(null), field = useRef<HTMLInputElement>(null);
  const [pin, setPin] = useState(""), [note, setNote] = useState(""), [busy, setBusy] = useState(false), [said, setSaid] = useState<Said | "silent" | null>(null);
  useEffect(() => { dialog.current?.showModal(); field.current?.focus(); }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || pin === "") return;
    setBusy(true); setSaid(null);
    const given = pin;
    setPin("");
    onWay(true);
    const told = await at.judge(finding, given, note.trim());
    setBusy(false);
    if (told?.kind === "done") onDone(told);
    onWay(false);
    if (told?.kind === "done") return;
    setSaid(told ?? "silent");
    field.current?.focus();
  };
  return (
    <dialog ref={dialog} class="signing" aria-labelledby="signing" onClose={onClose}>
      <form onSubmit={(e) => void submit(e)} autocomplete="off">
        <h2 id="signing">{tr("verdict")}: {say(findingWord[finding])}</h2>
        <p class="dim">{tr("verdictFor")} <span class="num">{at.task.card.digest.slice(0, 16)}</span> · {tr("marks")} {at.marks.value.length}</p>
        <label class="field"><span>{tr("note")}</span><input name="note" maxLength={120} value={note} disabled={busy} onInput={(e) => setNote(e.currentTarget.value)} /></label>
        <label class="field"><span>{tr("pin")}</span><input ref={field} id="pin" type="password" inputMode="numeric" autocomplete="off" maxLength={32} value={pin} disabled={busy} onInput={(e) => setPin(e.currentTarget.value)} /></label>
        <p class={said ? "told bad" : "told"} role="status" id="said">{busy ? tr("submitting") : said === "silent" ? tr("silentServer") : said ? <SaidLine said={said} /> : null}</p>
        <div class="ends-row"><button type="button" onClick={() => dialog.current?.close()}>{tr("cancel")}</button><button type="submit" class="go" id="submit" disabled={busy || pin === ""}>{tr("signVerdict")}</button></div>
      </form>
    </dialog>
  );
}

export function SaidLine({ said }: { said: Said }) {
  return <><b>{said.kind === "done" ? "✓" : "✕"} {say(said.say ?? saidWord[said.kind])}</b>{said.left !== null && <> · {tr("tries")} <span class="num">{said.left}</span></>}{said.wait_s !== null && <> · {tr("wait")} <span class="num">{Math.ceil(said.wait_s)} s</span></>}</>;
}

/** The picture's modes as buttons, with their keys. */
export function Tools({ at, onBeside }: { at: Reviewing; onBeside: () => void }) {
  const look = at.look.value, modes = ["grey", "inverse", "material", "organic", "metal"] as const;
  const toggle = (on: boolean, text: string, key: string, deed: () => void, id?: string) => <button type="button" id={id} aria-pressed={on} onClick={deed}>{text}<kbd>{key}</kbd></button>;
  return (
    <div class="tools" role="toolbar" aria-label={tr("review")}>
      <span class="group" role="group">{modes.map((name, i) => <button type="button" key={name} aria-pressed={look.mode === i} class={name} onClick={() => at.show({ mode: i as 0 | 1 | 2 | 3 | 4 })}>{tr(name)}<kbd>{i + 1}</kbd></button>)}</span>
      <span class="group" role="group">
        {toggle(look.energy === LE, tr(look.energy === HE ? "high" : "low"), "H", () => at.show({ energy: look.energy === HE ? LE : HE }))}
        {toggle(look.logs, tr("logs"), "K", () => (look.logs ? at.show({ logs: false, ...LINEAR }) : at.show({ logs: true, level: PLAIN.level, width: PLAIN.width })))}
        {toggle(look.edge > 0, tr("edge"), "E", () => at.show({ edge: look.edge ? 0 : 1.5 }))}
        {toggle(look.local, tr("localContrast"), "L", () => at.show({ local: !look.local }))}
      </span>
      <span class="group" role="group">
        {toggle(at.loupe.value, tr("loupe"), "M", () => at.toggleLoupe())}
        <button type="button" onClick={() => at.begin()}>{tr("mark")}<kbd>A</kbd></button>
        {toggle(at.grid.value, tr("ruler"), "G", () => { at.grid.value = !at.grid.value; at.ruler.value = null; })}
        {toggle(at.beside.value !== null, tr("beside"), "B", onBeside)}
        <button type="button" onClick={() => { at.view?.fit(); at.moved(); }}>{tr("fit")}<kbd>0</kbd></button>
      </span>
      <span class="grow" />
      <span class="dim keys-hint">{tr("help")} <kbd>?</kbd></span>
    </div>
  );
}

/** Choose what to look at beside this one. */
export function Besides({ at, onClose }: { at: Reviewing; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null), [found, setFound] = useState<Likeness[] | null>(null);
  useEffect(() => { dialog.current?.showModal(); void at.likes().then((likes) => setFound(likes ?? [])); }, []);
  return (
    <dialog ref={dialog} class="besides" aria-labelledby="besides" onClose={onClose}>
      <h2 id="besides">{tr("compareWith")}</h2>
      {found?.length === 0 && <p class="dim">{tr("noneLike")}</p>}
      <ul>{found?.map((like) => (
        <li key={like.digest}><button type="button" onClick={() => { void at.compare(like.digest); dialog.current?.close(); }}>
          <b>{like.containers.join(" ") || like.scanner}</b><span class="num dim">{dateText(like.started)} {clockText(like.started)}</span><span>{tr(like.why === "same container" ? "sameContainer" : "sameScanner")}</span><span>{like.finding && say(findingWord[like.finding])}</span>
        </button></li>
      ))}</ul>
      <button type="button" onClick={() => dialog.current?.close()}>{tr("closeIt")}</button>
    </dialog>
  );
}
