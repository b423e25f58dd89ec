import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Live } from "./live";
import { kg } from "./numbers";
import type { Hello, Trend } from "./wire.gen";
import { tr, type Word } from "./words";

/** Real milliseconds between two looks into the past. */
const REFRESH_MS = 15_000;
const shade = (name: string): string => getComputedStyle(document.body).getPropertyValue(name).trim();
const hour = (at: number): string => { const t = new Date(at * 1000); return `${String(t.getHours()).padStart(2, "0")}:${String(t.getMinutes()).padStart(2, "0")}`; };

async function ask(name: Trend["name"], lane: string | null, hours: number): Promise<Trend | null> {
  try {
    const answer = await fetch(`/api/trend/${name}?hours=${hours}${lane ? `&lane=${encodeURIComponent(lane)}` : ""}`);
    return answer.ok ? ((await answer.json()) as Trend) : null;
  } catch { return null; }
}

type Drawn = "bars" | "line" | "dots";

function draw(into: HTMLElement, trend: Trend, how: Drawn): uPlot {
  const font = `14px ${getComputedStyle(document.body).fontFamily}`, ink = shade("--ink"), dim = shade("--dim"), faint = shade("--line");
  const axis = { stroke: dim, font, grid: { stroke: `${faint}55`, width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars?.({ size: [0.7, 60], align: 1 });
  const made = { bars: { fill: `${ink}88`, ...(bars ? { paths: bars } : {}), points: { show: false } }, line: { points: { show: false } }, dots: { paths: () => null, points: { show: true, size: 5, fill: ink } } }[how];
  return new uPlot({
    width: into.clientWidth, height: into.clientHeight, legend: { show: false }, cursor: { show: false }, select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true, range: () => [trend.start, trend.end] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] } },
    axes: [{ ...axis, size: 28, space: 60, values: (_, at) => at.map(hour) }, { ...axis, size: how === "line" ? 62 : 44, values: (_, at) => at.map(kg) }],
    series: [{}, { stroke: ink, width: 1.5, spanGaps: false, ...made }],
  }, [trend.at, trend.value], into);
}

function Plot({ name, lane, hours, how, version }: { name: Trend["name"]; lane: string | null; hours: number; how: Drawn; version: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [trend, setTrend] = useState<Trend | null>(null);
  useEffect(() => {
    let here = true;
    const look = (): void => void ask(name, lane, hours).then((told) => { if (here && told) setTrend(told); });
    look();
    const timer = setInterval(look, REFRESH_MS);
    return () => { here = false; clearInterval(timer); };
  }, [name, lane, hours, version]);
  useEffect(() => {
    const into = box.current;
    if (!into || !trend || trend.at.length === 0) return undefined;
    let plot = draw(into, trend, how);
    const watch = new ResizeObserver(() => { if (into.clientWidth !== plot.width || into.clientHeight !== plot.height) plot.setSize({ width: into.clientWidth, height: into.clientHeight }); });
    watch.observe(into);
    return () => { watch.disconnect(); plot.destroy(); };
  }, [trend, how]);
  const last = trend?.value.findLast((v) => v !== null) ?? null;
  return <><div class="plot" ref={box} role="img" aria-label={`${name} ${last === null ? "" : kg(last)} ${trend?.unit ?? ""}`} data-points={trend?.at.length ?? 0} id={`trend-${name}`} />{(!trend || trend.at.length === 0) && <span class="nothing">{tr("noTrend")}</span>}</>;
}

/** Three small lines: how many trucks, how long each took, and the chosen lane's scale. */
export function Trends({ live, hello }: { live: Live; hello: Hello }) {
  const [lane, setLane] = useState(hello.lanes[0]?.id ?? "");
  const boot = live.linked.value ? 1 : 0;
  const head = (word: Word, more: string) => <>{tr(word)} <small>{more}</small></>;
  return (
    <div class="panel trends" role="group" aria-label={tr("trends")}>
      <section><h2>{head("trucksHour", tr("hours4"))}</h2><Plot name="trucks" lane={null} hours={4} how="bars" version={boot} /></section>
      <section><h2>{head("laneSeconds", "s")}</h2><Plot name="seconds" lane={null} hours={4} how="dots" version={boot} /></section>
      <section><h2>{head("weights", "kg")}<span class="grow" />{hello.lanes.slice(0, 4).map((l) => <button key={l.id} type="button" aria-pressed={l.id === lane} onClick={() => setLane(l.id)}>{l.id}</button>)}</h2>{lane && <Plot name="weight" lane={lane} hours={0.25} how="line" version={boot} />}</section>
    </div>
  );
}
