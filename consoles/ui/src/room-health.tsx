import { isFresh, type Live } from "./live";
import { Age } from "./parts";
import { linkWord, say, tr } from "./words";

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
          <thead><tr><th>{tr("node")}</th><th>{tr("instrument")}</th><th>{tr("link")}</th><th class="r">{tr("rate")}</th><th class="r">{tr("garbage")}</th><th class="r">{tr("gaps")}</th><th class="r">{tr("reconnects")}</th><th class="r">{tr("lastWord")}</th></tr></thead>
          <tbody>
            {away.map(([id, node]) => <tr key={id} class="down"><td>{id}</td><td>{node.birth ? say(node.birth) : ""}</td><td><span class="tag-bad">✕ {tr("offline")}</span></td><td colSpan={4} /><td class="r"><Age live={live} at={node.at} /></td></tr>)}
            {rows.map((row) => (
              <tr key={`${row.node}/${row.instrument}`} class={!isFresh(live, "health", row.at) ? "void" : row.body.up ? "" : "down"}>
                <td>{row.node}</td><td class="nowrap" title={row.body.link}>{row.instrument}</td>
                <td class="nowrap">{row.body.up ? <>{say(linkWord(true))} <span class="dim"><Age live={live} at={row.body.since} /></span></> : <><span class="tag-bad">✕ {say(linkWord(false))}</span> <Age live={live} at={row.body.since} /> {row.body.note}</>}</td>
                <td class="r num">{row.words_per_s === null ? "–" : row.words_per_s.toFixed(1)}</td><td class="r num">{row.body.garbage}</td><td class="r num">{row.body.gaps}</td><td class="r num">{row.body.reconnects}</td>
                <td class="r nowrap"><Age live={live} at={row.body.last_word_at} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
