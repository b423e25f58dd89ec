import { silenceOf, type Live } from "./live";
import { useMemo } from "preact/hooks";
import { lookOf } from "./looks";
import { ageText, kg, plateText } from "./numbers";
import { Mark } from "./parts";
import type { Hello, LaneCard, ViewBody } from "./wire.gen";
import { boomWord, modeWord, say, stateWord, tr, weightWord, wordOf } from "./words";

const ANGLE = { down: 0, moving: -38, up: -72, fault: -38, unknown: -38 } satisfies Record<ViewBody["boom"], number>;

function Boom({ boom }: { boom: ViewBody["boom"] }) {
  const odd = boom === "moving" || boom === "unknown";
  return (
    <span class="boom" data-boom={boom}>
      <svg viewBox="0 0 30 22" aria-hidden="true"><rect class="post" x="2" y="14" width="5" height="8" /><line class={`arm${odd ? " odd" : boom === "fault" ? " bad" : ""}`} x1="5" y1="15" x2="27" y2="15" transform={`rotate(${ANGLE[boom]} 5 15)`} /></svg>
      {say(boomWord[boom])}
    </span>
  );
}

function Tile({ live, card }: { live: Live; card: LaneCard }) {
  const silence = useMemo(() => silenceOf(live, card.id), [live, card.id]).value;
  const view = live.known.value.views[card.id], body = view?.body;
  const shown = body ? lookOf(body) : null, plate = body?.reads.find((r) => r.what === "plate");
  const first = body?.reasons[0], gross = body?.weight.gross_kg ?? null;
  return (
    <a class={`tile ${silence ? "stale" : shown?.kind ?? "calm"}`} id={`tile-${card.id}`} href={`/lane/${encodeURIComponent(card.id)}`}>
      <header><b>{card.id}</b><span>{say(card)}{body && body.mode !== "live" ? ` · ${say(modeWord[body.mode])}` : ""}</span>{body?.opened_at != null && <span class="num" title={tr("seconds")}>{ageText(live.now.value - body.opened_at)}</span>}</header>
      <span class="what">{silence ? <span class="void">{tr("stale")}</span> : shown && <>{shown.mark && <Mark priority={shown.mark} />}{say(shown.pair)}</>}{body && <Boom boom={body.boom} />}</span>
      {body && (
        <>
          <output class="plate">{plate ? plateText(plate.text) : "–"}</output>
          <output class="right">{gross === null ? wordOf(weightWord, body.weight.status) : <>{body.weight.by_axles && <small>{tr(body.weight.settled_kg === null ? "axleLoad" : "axleSum")} </small>}{kg(body.weight.settled_kg ?? gross)} <small>kg</small></>}</output>
          <span class="why">{!silence && body.awaits ? `${tr("awaitsSecond")} · ` : ""}{!silence && body.kept ? `${tr("heldOpen")} · ` : ""}{!silence && body.local ? `${tr("localMode")} ${body.queue} · ` : ""}{!silence && !body.clearance_up ? `${tr("customs")} ${tr("down")} · ` : ""}{!silence && first ? `${say(first.say)}${body.reasons.length > 1 ? ` +${body.reasons.length - 1}` : ""}` : silence || shown?.kind === "calm" ? "" : wordOf(stateWord, body.state)}</span>
        </>
      )}
    </a>
  );
}

/** Every lane at a glance; a tile leads to the lane's own page. */
export function Tiles({ live, hello }: { live: Live; hello: Hello }) {
  return <nav class="tiles" aria-label={tr("lanes")}>{hello.lanes.map((card) => <Tile key={card.id} live={live} card={card} />)}</nav>;
}
