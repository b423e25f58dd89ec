import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { LINEAR, PLAIN, PRESETS, type Reviewing } from "./review-state";
import { HE, LE } from "./xray-tile";
import type { XrayView } from "./xray-view";
import type { Mark } from "./wire.gen";
import { findingWord, keyWords } from "./words-review";
import { say, tr } from "./words";

const HOLD_MS = 600;
const CLICK_PX = 4;

type Drag = { kind: "pan" | "window" | "mark" | "ruler"; x: number; y: number; moved: number };

/** Height above the road of a row of the picture, millimetres at the middle plane. */
function heightOf({ heights_mm, height_step, pixels }: Reviewing["task"]["card"], y: number): number {
  const at = Math.max(0, Math.min(pixels - 1, y)) / height_step, i = Math.min(Math.floor(at), heights_mm.length - 2);
  const last = i === heights_mm.length - 2 ? (pixels - 1 - i * height_step) / height_step : 1;
  return heights_mm[i]! + ((heights_mm[i + 1]! - heights_mm[i]!) * (at - i)) / Math.max(last, 1e-6);
}

/** The picture with all that lies over it, and all its keys: they act only while it has the focus. */
export function Picture({ at, locked, onVerdict, onBeside, label }: { at: Reviewing; locked: boolean; onVerdict: (finding: "clear" | "open") => void; onBeside: () => void; label: string }) {
  const box = useRef<HTMLDivElement>(null), canvas = useRef<HTMLCanvasElement>(null), second = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null), holding = useRef(0), [failed, setFailed] = useState(false), [help, setHelp] = useState(false), [held, setHeld] = useState<"clear" | "open" | null>(null);
  const dpr = window.devicePixelRatio || 1, beside = at.beside.value;

  useEffect(() => {
    const element = canvas.current!, around = box.current!;
    const size = (): void => { element.width = Math.round(element.clientWidth * dpr); element.height = Math.round(element.clientHeight * dpr); };
    size();
    try { at.mount(element); } catch { setFailed(true); return; }
    const watch = new ResizeObserver(() => {
      const view = at.view, whole = view !== null && view.place.zoom <= view.fitted * 1.001;
      size();
      if (view) { if (whole) view.fit(); else view.request(); }
    });
    watch.observe(element);
    around.focus();
    return () => { watch.disconnect(); at.unmount(); };
  }, [at]);
  useEffect(() => {
    if (!beside || !second.current) return;
    second.current.width = Math.round(second.current.clientWidth * dpr); second.current.height = Math.round(second.current.clientHeight * dpr);
    at.mountOther(second.current);
  }, [beside]);

  const view = (): XrayView => at.view!;
  const pixel = (e: PointerEvent | WheelEvent): [number, number] => { const r = canvas.current!.getBoundingClientRect(); return [(e.clientX - r.left) * dpr, (e.clientY - r.top) * dpr]; };
  const pan = (dx: number, dy: number): void => { const { place, frame } = view(); view().go({ ...place, x: place.x + dx / place.zoom, y: place.y + dy / (place.zoom * (frame.y_mm / frame.x_mm)) }); at.moved(); };
  const zoom = (times: number, x?: number, y?: number): void => { view().zoomAt(times, x, y); at.moved(); };
  const shift = (level: number, width: number): void => { const look = at.look.value; at.show({ level: look.level + level * look.width, width: Math.max(0.02, Math.min(12, look.width * width)) }); };
  const preset = (name: keyof typeof PRESETS): void => at.show({ logs: true, level: PRESETS[name][0], width: PRESETS[name][1] });
  const stopHold = (): void => { clearTimeout(holding.current); holding.current = 0; setHeld(null); };
  const hold = (finding: "clear" | "open"): void => {
    if (holding.current || locked || (finding === "clear" && !at.allSeen.value)) return;
    setHeld(finding);
    holding.current = window.setTimeout(() => { stopHold(); onVerdict(finding); }, HOLD_MS);
  };
  const shape = (key: string, e: KeyboardEvent): boolean => {
    const now = at.drawing.value, step = Math.max(1, Math.round(view().shown.width / 60));
    if (!now || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", "Escape"].includes(key)) return false;
    if (key === "Escape") { at.drawing.value = null; at.marking = false; return true; }
    if (key === "Enter") { at.addMark(now); at.drawing.value = null; at.marking = false; return true; }
    const dx = key === "ArrowLeft" ? -step : key === "ArrowRight" ? step : 0, dy = key === "ArrowUp" ? -step : key === "ArrowDown" ? step : 0;
    at.drawing.value = e.shiftKey ? { ...now, width: Math.max(4, now.width + dx), height: Math.max(4, now.height + dy) } : { ...now, x: now.x + dx, y: now.y + dy };
    return true;
  };

  const keys: Record<string, (e: KeyboardEvent) => void> = {
    "1": () => at.show({ mode: 0 }), "2": () => at.show({ mode: 1 }), "3": () => at.show({ mode: 2 }), "4": () => at.show({ mode: 3 }), "5": () => at.show({ mode: 4 }),
    "!": () => preset("full"), "@": () => preset("thin"), "#": () => preset("middle"), "$": () => preset("thick"),
    h: () => at.show({ energy: at.look.value.energy === HE ? LE : HE }), k: () => (at.look.value.logs ? at.show({ logs: false, ...LINEAR }) : at.show({ logs: true, level: PLAIN.level, width: PLAIN.width })),
    "[": () => shift(0, 0.8), "]": () => shift(0, 1.25), ",": () => shift(-0.06, 1), ".": () => shift(0.06, 1), r: () => at.show({ ...PLAIN, mode: at.look.value.mode, energy: at.look.value.energy }),
    "=": () => zoom(1.25), "+": () => zoom(1.25), "-": () => zoom(0.8), "0": () => { view().fit(); at.moved(); }, "9": () => { view().go({ ...view().place, zoom: 1 }); at.moved(); },
    e: () => at.show({ edge: at.look.value.edge ? 0 : 1.5 }), l: () => at.show({ local: !at.look.value.local }),
    m: () => at.toggleLoupe(),
    g: () => { at.grid.value = !at.grid.value; at.ruler.value = null; }, b: () => onBeside(), a: () => at.begin(), t: () => at.nextMark(), d: () => at.removeMark(), p: () => void (at.chosen.value ? at.measureMark() : at.measure(view().place.x, view().place.y)),
    c: () => hold("clear"), s: () => hold("open"), "?": () => setHelp(!help), escape: () => { setHelp(false); at.marking = false; at.drawing.value = null; },
    " ": () => at.show({ raw: true }),
  };
  const down = (e: KeyboardEvent): void => {
    if (e.target !== box.current || e.altKey || e.metaKey) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key === "Escape" ? "escape" : e.key;
    if (e.ctrlKey) { if (key === "z") { e.preventDefault(); at.undoMark(); } return; }
    at.touch();
    if (shape(e.key, e)) { e.preventDefault(); return; }
    const screen = view().canvas, step = e.shiftKey ? 0.9 : 0.1;
    if (e.key.startsWith("Arrow")) {
      e.preventDefault();
      pan(e.key === "ArrowLeft" ? -screen.width * step : e.key === "ArrowRight" ? screen.width * step : 0, e.key === "ArrowUp" ? -screen.height * step : e.key === "ArrowDown" ? screen.height * step : 0);
      return;
    }
    const digit = e.shiftKey && /^Digit[1-4]$/.test(e.code) ? "!@#$"[Number(e.code[5]) - 1]! : key, deed = keys[digit];
    if (!deed) return;
    e.preventDefault(); e.stopPropagation();
    if (!e.repeat || "[],.=+-".includes(digit)) deed(e);
  };
  const up = (e: KeyboardEvent): void => { if (e.key === " ") at.show({ raw: false }); if (holding.current && ["c", "s"].includes(e.key.toLowerCase())) stopHold(); };

  const press = (e: PointerEvent): void => {
    const [x, y] = pixel(e);
    box.current!.focus();
    canvas.current!.setPointerCapture(e.pointerId);
    drag.current = { kind: e.button === 2 ? "window" : at.marking ? "mark" : at.grid.value ? "ruler" : "pan", x, y, moved: 0 };
    const to = view().at(x, y);
    if (drag.current.kind === "mark") at.drawing.value = { name: "", note: "", x: to.x, y: to.y, width: 1, height: 1 };
    if (drag.current.kind === "ruler") at.ruler.value = [to.x, to.y, to.x, to.y];
  };
  const move = (e: PointerEvent): void => {
    const [x, y] = pixel(e), now = drag.current, v = view(), to = v.at(x, y);
    if (v.loupe) { v.loupe = { ...v.loupe, x, y }; v.request(); }
    if (!now) { point(to); return; }
    now.moved += Math.abs(x - now.x) + Math.abs(y - now.y);
    if (now.kind === "window") shift((y - now.y) / 400, 1 + (x - now.x) / 300);
    else if (now.kind === "pan") pan(now.x - x, now.y - y);
    else if (now.kind === "ruler") { const line = at.ruler.value!; at.ruler.value = [line[0], line[1], to.x, to.y]; }
    else { const from = at.drawing.value!; at.drawing.value = { ...from, width: to.x - from.x, height: to.y - from.y }; }
    if (now.kind !== "mark" && now.kind !== "ruler") { now.x = x; now.y = y; }
  };
  const release = (e: PointerEvent): void => {
    const now = drag.current, [x, y] = pixel(e);
    drag.current = null;
    if (!now) return;
    if (now.kind === "mark") {
      const d = at.drawing.value!;
      at.addMark({ x: Math.min(d.x, d.x + d.width), y: Math.min(d.y, d.y + d.height), width: Math.abs(d.width), height: Math.abs(d.height) });
      at.drawing.value = null; at.marking = false;
    } else if (now.kind === "pan" && now.moved < CLICK_PX && e.button === 0) { const to = view().at(x, y); void at.measure(to.x, to.y); }
    at.touch();
  };
  const point = (to: { x: number; y: number }): void => {
    const { rows, pixels } = at.task.card, x = Math.floor(to.x), y = Math.floor(to.y);
    const read = x >= 0 && y >= 0 && x < rows && y < pixels ? view().pixelAt(x, y) : null;
    at.under.value = read ? { x, y, ...read } : null;
  };

  if (failed) return <p class="view panel">{tr("noGl")}</p>;
  return (
    <div class={beside ? "view two" : "view"} ref={box} id="picture" tabIndex={0} role="application" aria-label={label} aria-describedby="keys-hint" onKeyDown={down} onKeyUp={up} onBlur={stopHold}>
      <span class="unseen" id="keys-hint">{tr("help")}: ?</span>
      <div class="pane">
        <canvas ref={canvas} onPointerDown={press} onPointerMove={move} onPointerUp={release} onPointerLeave={() => { at.under.value = null; }} onContextMenu={(e) => e.preventDefault()}
          onWheel={(e) => { e.preventDefault(); const [x, y] = pixel(e); zoom(e.deltaY > 0 ? 0.87 : 1.15, x, y); }} />
        <Over at={at} dpr={dpr} />
        <Under at={at} />
        <Loupe at={at} dpr={dpr} />
        {held && <div class="holding"><b>{say(findingWord[held])}</b><i style={{ animationDuration: `${HOLD_MS}ms` }} /></div>}
      </div>
      {beside && <div class="pane"><canvas ref={second} /><span class="pane-name">{beside.containers.join(" ") || beside.scanner}</span></div>}
      {help && <div class="help panel" role="region" tabIndex={0} aria-label={tr("help")}><dl>{keyWords.map(([k, what]) => <div key={k}><dt>{k.split(" ").map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{say(what)}</dd></div>)}</dl></div>}
    </div>
  );
}

/** Marks, grid, ruler and probe, in the picture's own pixels. */
function Over({ at, dpr }: { at: Reviewing; dpr: number }) {
  const svg = useRef<SVGSVGElement>(null);
  useSignalEffect(() => {
    void at.drawn.value;
    const view = at.view;
    if (!view || !svg.current) return;
    const s = view.shown;
    svg.current.setAttribute("viewBox", `${s.x} ${s.y} ${s.width} ${s.height}`);
    svg.current.style.setProperty("--px", String(dpr / view.place.zoom));
  });
  const { card } = at.task, metre = 1000 / card.x_mm, drawing = at.drawing.value, probe = at.probe.value, ruler = at.ruler.value;
  const boxes: Mark[] = drawing ? [...at.marks.value, drawing] : at.marks.value;
  const rows: { y: number; m: number }[] = [];
  if (at.grid.value) for (let m = 0; m <= 6; m++) { const y = rowAt(card, m * 1000); if (y !== null) rows.push({ y, m }); }
  return (
    <svg class="over" ref={svg} preserveAspectRatio="none" aria-hidden="true">
      {at.grid.value && <g class="grid">{Array.from({ length: Math.ceil(card.rows / metre) + 1 }, (_, i) => <line key={i} x1={i * metre} x2={i * metre} y1={0} y2={card.pixels} />)}{rows.map(({ y, m }) => <line key={m} x1={0} x2={card.rows} y1={y} y2={y} />)}</g>}
      {boxes.map((m, i) => <rect key={i} class={m.name === "" ? "box new" : m.name === at.chosen.value ? "box chosen" : "box"} data-mark={m.name} x={Math.min(m.x, m.x + m.width)} y={Math.min(m.y, m.y + m.height)} width={Math.abs(m.width)} height={Math.abs(m.height)} />)}
      {probe && <rect class="probe" x={probe.x} y={probe.y} width={probe.width} height={probe.height} />}
      {ruler && <line class="ruler" x1={ruler[0]} y1={ruler[1]} x2={ruler[2]} y2={ruler[3]} />}
    </svg>
  );
}

/** The loupe's rim, so that one knows where it ends. */
function Loupe({ at, dpr }: { at: Reviewing; dpr: number }) {
  void at.drawn.value;
  const loupe = at.view?.loupe;
  if (!at.loupe.value || !loupe) return null;
  const { x, y, radius, times } = loupe;
  return <span class="loupe" style={{ left: `${(x - radius) / dpr}px`, top: `${(y - radius) / dpr}px`, width: `${(2 * radius) / dpr}px`, height: `${(2 * radius) / dpr}px` }}><b class="num">×{times}</b></span>;
}

function rowAt(card: Reviewing["task"]["card"], mm: number): number | null {
  for (let y = 0; y < card.pixels; y += 1) if (heightOf(card, y) <= mm) return y === 0 ? null : y;
  return null;
}

/** Names of the marks, the ruler's length and the value under the cursor: text, so not in the stretched drawing. */
function Under({ at }: { at: Reviewing }) {
  void at.drawn.value;
  const view = at.view, under = at.under.value, ruler = at.ruler.value, { card } = at.task;
  if (!view) return null;
  const s = view.shown, place = (x: number, y: number): { left: string; top: string } => ({ left: `${(100 * (x - s.x)) / s.width}%`, top: `${(100 * (y - s.y)) / s.height}%` });
  const low = at.look.value.energy === LE, value = under && (low ? under.le : under.he);
  return (
    <>
      {at.marks.value.map((m) => <b key={m.name} class={m.name === at.chosen.value ? "tag chosen" : "tag"} style={place(m.x, m.y)}>{m.name}</b>)}
      {ruler && <b class="tag length" style={place(ruler[2], ruler[3])} id="ruler">{Math.round(Math.hypot((ruler[2] - ruler[0]) * card.x_mm, heightOf(card, ruler[3]) - heightOf(card, ruler[1])))} {tr("mm")} <small>{tr("middlePlane")}</small></b>}
      <output class="cursor num" id="cursor">
        {Math.round(view.place.zoom * 100)} %{under && <> · x {under.x} y {under.y} · {heightOf(card, under.y) > 0 ? `${(heightOf(card, under.y) / 1000).toFixed(2)} m` : ""} · {value === null ? tr("notMeasured") : <><b>{Math.round(value!)}</b> <small>1/{2 ** under.level}</small></>}</>}
      </output>
    </>
  );
}
