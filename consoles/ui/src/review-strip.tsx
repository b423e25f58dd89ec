import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Reviewing } from "./review-state";
import { say, tr } from "./words";

/** The whole picture, where one looks now, and hatched what was not looked at yet. */
export function Strip({ at }: { at: Reviewing }) {
  const canvas = useRef<HTMLCanvasElement>(null), frame = useRef<SVGRectElement>(null), svg = useRef<SVGSVGElement>(null), asked = useRef(0);
  const { card, cells } = at.task, total = at.loadCount, seen = at.seen.value, share = total ? Math.floor((100 * seen) / total) : 100;

  const copy = (): void => {
    const view = at.view, target = canvas.current;
    if (!view || !target) return;
    const width = Math.min(1200, Math.round(target.clientWidth * (window.devicePixelRatio || 1))), height = Math.max(1, Math.round((width * card.pixels * card.y_mm) / (card.rows * card.x_mm)));
    if (width === 0) return;
    target.width = width; target.height = height;
    target.getContext("2d")!.putImageData(view.thumbnail(width, height), 0, 0);
  };
  const later = (): void => { clearTimeout(asked.current); asked.current = window.setTimeout(copy, 120); };
  useSignalEffect(() => { void at.look.value; void at.coarse.value; later(); });
  useSignalEffect(() => {
    void at.drawn.value;
    const view = at.view;
    if (!view || !frame.current) return;
    const s = view.shown;
    for (const [name, value] of [["x", s.x], ["y", s.y], ["width", s.width], ["height", s.height]] as const) frame.current.setAttribute(name, String(value));
  });
  useEffect(() => () => clearTimeout(asked.current), []);

  let left = "";
  for (let n = 0; n < at.cellCount; n++) if (at.isLoad(n) && !at.isSeen(n)) {
    const x = (n % cells.columns) * cells.size, y = Math.floor(n / cells.columns) * cells.size;
    left += `M${x} ${y}h${Math.min(cells.size, card.rows - x)}v${Math.min(cells.size, card.pixels - y)}H${x}Z`;
  }
  const go = (e: PointerEvent): void => {
    const r = svg.current!.getBoundingClientRect(), view = at.view;
    if (!view || !(e.buttons & 1)) return;
    view.go({ ...view.place, x: ((e.clientX - r.left) / r.width) * card.rows, y: ((e.clientY - r.top) / r.height) * card.pixels });
    at.moved();
  };
  return (
    <div class="strip panel">
      <div class="strip-picture" style={{ aspectRatio: `${card.rows * card.x_mm} / ${card.pixels * card.y_mm}` }}>
        <canvas ref={canvas} aria-hidden="true" />
        <svg ref={svg} viewBox={`0 0 ${card.rows} ${card.pixels}`} preserveAspectRatio="none" aria-hidden="true" onPointerDown={go} onPointerMove={go}>
          <defs><pattern id="hatch" width="60" height="60" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="60" /></pattern></defs>
          <path class="unlooked" d={left} fill="url(#hatch)" />
          {card.remarks.map((r, i) => <rect key={i} class="flaw" x={r.first} y={0} width={Math.max(r.count, card.rows / 400)} height={card.pixels}><title>{say(r.say)}</title></rect>)}
          {at.marks.value.map((m) => <rect key={m.name} class="box" x={m.x} y={m.y} width={m.width} height={m.height} />)}
          <rect class="here" ref={frame} />
        </svg>
      </div>
      <div class="strip-words">
        <span>{tr("seenShare")}</span>
        <output class="num" id="seen">{share} %</output>
        <div class="bar-share" role="progressbar" aria-label={tr("seenShare")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share}><i style={{ width: `${share}%` }} /></div>
        <small class="dim">{tr("atZoom")} 1:{Math.round(1 / at.task.clear_zoom)}</small>
      </div>
      {card.remarks.length > 0 && <ul class="flaws" aria-label={tr("flaws")} tabIndex={0}>{card.remarks.map((r, i) => <li key={i}><button type="button" class="quiet small" onClick={() => { at.view?.go({ ...at.view.place, x: r.first + r.count / 2 }); at.moved(); }}>{((r.first * card.x_mm) / 1000).toFixed(1)} m</button> {say(r.say)}{r.count > 1 ? ` ×${r.count}` : ""}</li>)}</ul>}
    </div>
  );
}
