import { isFresh, type Live } from "./live";
import { Age } from "./parts";
import type { FixNow, Hello, Shape } from "./wire.gen";
import { hintWord, say, shapeWord, tr } from "./words";

const MARGIN = 0.04;
/** Pixels: the smallest that a desk may have. */
const FONT = 16;
const AREAS: Shape["kind"][] = ["yard", "building", "fence"];
type Frame = { x: number; y: number; width: number; height: number };
type Place = { x: number; y: number };

/** The box around the drawing, in metres; y grows to the north, so the picture turns it over. */
function frame(points: [number, number][]): Frame {
  const xs = points.map((p) => p[0]), ys = points.map((p) => -p[1]);
  const x = Math.min(...xs), y = Math.min(...ys), width = Math.max(...xs) - x || 100, height = Math.max(...ys) - y || 100, pad = MARGIN * Math.max(width, height);
  return { x: x - pad, y: y - pad, width: width + 2 * pad, height: height + 2 * pad };
}

/** Where a tracker is, or was when it last knew. */
function place(fix: FixNow): Place | null {
  if (fix.body.valid && fix.body.x_m !== null && fix.body.y_m !== null) return { x: fix.body.x_m, y: -fix.body.y_m };
  const last = fix.trail.at(-1);
  return last ? { x: last[0], y: -last[1] } : null;
}

type Box = { left: number; right: number; top: number; bottom: number };
type Label = { text: string; x: number; y: number };
const CJK = /[\u2e80-\uffef]/;

/** Where the names stand: inside an area below its upper edge, else around the shape's middle; a name that finds no free
 * place is left out, for a name over a name is neither. Roads go unnamed: they are what the others lie between. */
function labels(shapes: Shape[], box: Frame, unit: number): Label[] {
  const taken: Box[] = [], made: Label[] = [], em = FONT * unit;
  const lines = shapes.filter((shape) => shape.kind === "lane").flatMap((shape) => shape.points);
  const size = (shape: Shape): number => { const of = frame(shape.points); return of.width * of.height; };
  // The smaller ones first: a large one has more room to give way.
  for (const shape of shapes.toSorted((a, b) => size(a) - size(b))) {
    const text = shape.kind === "road" ? "" : say(shape) || say(shapeWord[shape.kind]);
    if (!text) continue;
    const xs = shape.points.map((p) => p[0]), ys = shape.points.map((p) => -p[1]);
    const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...ys), bottom = Math.max(...ys), x = (left + right) / 2;
    const width = [...text].reduce((sum, c) => sum + (CJK.test(c) ? em : em * 0.6), 0);
    const inside = right - left > width && bottom - top > 1.4 * em ? [{ x, y: Math.min(top + 1.2 * em, (top + bottom) / 2 + 0.35 * em) }] : [];
    const around = [{ x, y: top - 0.35 * em }, { x: left - 0.6 * em - width / 2, y: (top + bottom) / 2 }, { x: right + 0.6 * em + width / 2, y: (top + bottom) / 2 }, { x, y: bottom + 1.1 * em }];
    const place = [...inside, ...around].find((at) => {
      const name = { left: at.x - width / 2, right: at.x + width / 2, top: at.y - em, bottom: at.y + 0.2 * em };
      const free = taken.every((other) => name.right < other.left || name.left > other.right || name.bottom < other.top || name.top > other.bottom);
      const clear = shape.kind !== "lane" || lines.every(([px, py]) => px < name.left || px > name.right || -py < name.top || -py > name.bottom);
      const seen = name.left >= box.x && name.right <= box.x + box.width && name.top >= box.y && name.bottom <= box.y + box.height;
      if (free && clear && seen) taken.push(name);
      return free && clear && seen;
    });
    if (place) made.push({ text, ...place });
  }
  return made;
}

function Outline({ shape }: { shape: Shape }) {
  const points = shape.points.map(([x, y]) => `${x},${-y}`).join(" "), closed = shape.kind !== "route" && (shape.points.length > 3 || (AREAS.includes(shape.kind) && shape.points.length > 2));
  return closed ? <polygon class={`shape area ${shape.kind}`} points={points} /> : <polyline class={`shape ${shape.kind}`} points={points} />;
}

function Mover({ live, name, fix, unit }: { live: Live; name: string; fix: FixNow; unit: number }) {
  const at = place(fix);
  if (!at) return null;
  const sure = fix.body.valid && isFresh(live, "fix", fix.at), turn = fix.body.track_deg ?? 0, going = sure && (fix.body.speed_mps ?? 0) > 0.5;
  const trail = [...fix.trail.map(([x, y]) => `${x},${-y}`), `${at.x},${at.y}`].join(" ");
  return (
    <g data-tracker={name} data-sure={sure}>
      <polyline class="trail" points={trail} />
      {going && <line class="heading" x1={at.x} y1={at.y} x2={at.x + 18 * unit * Math.sin((turn * Math.PI) / 180)} y2={at.y - 18 * unit * Math.cos((turn * Math.PI) / 180)} />}
      <circle class={sure ? "mover" : "mover lost"} cx={at.x} cy={at.y} r={6 * unit} /><text class="name" x={at.x + 10 * unit} y={at.y - 8 * unit} font-size={FONT * unit}>{name}{sure ? "" : " ?"}</text>
    </g>
  );
}

/** The site's own drawing with its trackers, and the same as a list. A lost or late one is hollow where it was last. */
export function SiteMap({ live, hello }: { live: Live; hello: Hello }) {
  const fixes = Object.entries(live.known.value.fixes).sort(([a], [b]) => a.localeCompare(b));
  const drawn = hello.drawing.flatMap((shape) => shape.points);
  const moving = fixes.map(([, fix]) => place(fix)).filter((p): p is Place => p !== null).map((p): [number, number] => [p.x, -p.y]);
  const all = drawn.length ? drawn : moving;
  // The panel is about 1040 wide: one unit is then one pixel, whatever the site measures.
  const box = frame(all.length ? all : [[0, 0], [100, 100]]), unit = Math.max(box.width / 1040, box.height / 640);
  return (
    <section class="panel map" aria-label={tr("map")}>
      <div class="draw">
        <svg viewBox={`${box.x} ${box.y} ${box.width} ${box.height}`} role="img" aria-label={`${tr("map")}: ${fixes.length} ${tr("trackers")}`} id="map">
          {hello.drawing.map((shape, i) => <Outline key={i} shape={shape} />)}
          {labels(hello.drawing, box, unit).map((label) => <text key={`${label.x} ${label.y}`} x={label.x} y={label.y} font-size={FONT * unit} text-anchor="middle">{label.text}</text>)}
          {fixes.map(([name, fix]) => <Mover key={name} live={live} name={name} fix={fix} unit={unit} />)}
        </svg>
        {all.length === 0 && <p class="calm-word">{tr("noDrawing")}</p>}
      </div>
      <div class="movers scroll" tabIndex={0} role="region" aria-label={tr("trackers")}>
        <ul id="trackers">
          {fixes.map(([name, fix]) => (
            <li key={name} class={isFresh(live, "fix", fix.at) ? "" : "stale"}>
              <b>{name}</b>{fix.body.valid ? <span class="num">{fix.body.speed_mps === null ? "" : `${(fix.body.speed_mps * 3.6).toFixed(0)} km/h`}</span> : <span class="lost">◇ {tr("noFix")}</span>}{fix.body.hints.map((hint) => <span key={hint.kind} class="hint" title={hint.why}>△ {say(hintWord[hint.kind])}</span>)}<Age live={live} at={fix.at} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
