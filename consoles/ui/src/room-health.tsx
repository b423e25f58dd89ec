import { Fragment } from "preact";
import { isFresh, type Live } from "./live";
import { dateEnd, kg, milliseconds, signed } from "./numbers";
import { Age } from "./parts";
import type { HealthBody } from "./wire.gen";
import { linkWord, say, tr } from "./words";

const DAY_S = 86400;
/** Days before a certificate's end from which somebody should have asked for the next. */
const SOON_D = 30;

/** What the wire needs: an answer's time where something is asked, else the beat and how much its longest interval exceeds it. */
function latency({ latency_ms, interval_ms, late_ms }: HealthBody): string {
  if (latency_ms !== null) return milliseconds(latency_ms);
  return interval_ms === null || late_ms === null ? "–" : `${Math.round(interval_ms)} +${milliseconds(late_ms)}`;
}

/** What a person must see to, not today perhaps: the certificate, and where the empty deck stands. */
function Care({ live, body }: { live: Live; body: HealthBody }) {
  const { calibrated_on, calibrated_until, zero } = body;
  const days = calibrated_until === null ? null : (dateEnd(calibrated_until) - live.now.value) / DAY_S;
  return (
    <>
      {calibrated_on !== null && <span>{tr("calibratedOn")} {calibrated_on}</span>}
      {days !== null && (days < 0 ? <span class="tag-bad">✕ {tr("certificateOver")} {calibrated_until}</span> : <span class={days < SOON_D ? "soon" : ""}>{days < SOON_D && "△ "}{tr("certificateUntil")} {calibrated_until} ({Math.floor(days)} {tr("days")})</span>)}
      {zero !== null && (
        <span class={zero.wandering ? "soon" : ""}>
          {zero.wandering && "△ "}{tr("zero")} {zero.mean_kg > 0 ? "+" : ""}{kg(zero.mean_kg)} kg{zero.per_day_kg !== null && `, ${signed(zero.per_day_kg)} ${tr("kgPerDay")}`}{zero.wandering && `: ${tr("zeroRemedy")}`}
        </span>
      )}
    </>
  );
}

/** Every instrument's link: what is down stands first. */
export function Health({ live }: { live: Live }) {
  const known = live.known.value;
  const away = Object.entries(known.nodes).filter(([, node]) => node.online === false);
  const rows = Object.values(known.health).sort((a, b) => Number(a.body.up) - Number(b.body.up) || `${a.node}/${a.instrument}`.localeCompare(`${b.node}/${b.instrument}`));
  return (
    <section class="panel lists health" aria-label={tr("health")}>
      <h2>{tr("health")}</h2>
      <div class="scroll" tabIndex={0}>
        <table id="health">
          <thead><tr><th>{tr("node")}</th><th>{tr("instrument")}</th><th>{tr("link")}</th><th class="r">{tr("rate")}</th><th class="r" title={tr("latencyMeans")}>{tr("latency")}</th><th class="r">{tr("garbage")}</th><th class="r">{tr("gaps")}</th><th class="r">{tr("reconnects")}</th><th class="r">{tr("lastWord")}</th></tr></thead>
          <tbody>
            {away.map(([id, node]) => <tr key={id} class="down"><td>{id}</td><td>{node.birth ? say(node.birth) : ""}</td><td><span class="tag-bad">✕ {tr("offline")}</span></td><td colSpan={5} /><td class="r"><Age live={live} at={node.at} /></td></tr>)}
            {rows.map((row) => (<Fragment key={`${row.node}/${row.instrument}`}>
              <tr class={!isFresh(live, "health", row.at) ? "void" : row.body.up ? "" : "down"}>
                <td>{row.node}</td><td class="nowrap" title={row.body.link}>{row.instrument}</td>
                <td class="nowrap">{row.body.up ? <>{say(linkWord(true))} <span class="dim"><Age live={live} at={row.body.since} /></span></> : <><span class="tag-bad">✕ {say(linkWord(false))}</span> <Age live={live} at={row.body.since} /> {row.body.note}</>}</td>
                <td class="r num">{row.words_per_s === null ? "–" : row.words_per_s.toFixed(1)}</td><td class="r num nowrap">{row.body.up ? latency(row.body) : "–"}</td><td class="r num">{row.body.garbage}</td><td class="r num">{row.body.gaps}</td><td class="r num">{row.body.reconnects}</td>
                <td class="r nowrap"><Age live={live} at={row.body.last_word_at} /></td>
              </tr>
              {row.body.up && row.body.note !== "" && <tr class={`about ${isFresh(live, "health", row.at) ? "" : "void"}`}><td colSpan={2} /><td colSpan={7}>{row.body.note}</td></tr>}
              {(row.body.calibrated_on ?? row.body.calibrated_until ?? row.body.zero) !== null && <tr class={`care ${isFresh(live, "health", row.at) ? "" : "void"}`}><td colSpan={2} /><td colSpan={7}><Care live={live} body={row.body} /></td></tr>}
            </Fragment>))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
