import "./inspection.css";
import { computed } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { follow, type Silence } from "./live";
import { Freshness, LanguageButton, SiteClock, useTitle } from "./parts";
import { PapersPanel } from "./review-side";
import { askMe, me } from "./review-state";
import { both, tr } from "./words";

/** The second screen: papers and lane pictures of the scan in hand; it follows the first one by itself. */
const live = follow("/api/live/inspection");
const silence = computed<Silence>(() => (!live.linked.value ? "server" : !live.bus.value ? "bus" : null));
const ASK_AGAIN_MS = 5000;
const title = computed(() => `${both("papers")[0]} · Quaygate`);

function Console() {
  const now = me.value, revision = live.known.value.desk?.revision, review = now !== null && now !== "out" ? now.review : null;
  useTitle(title);
  useEffect(() => { if (live.linked.value) void askMe(); }, [revision, live.linked.value]);
  useEffect(() => { const timer = setInterval(() => void askMe(), ASK_AGAIN_MS); return () => clearInterval(timer); }, []);
  return (
    <main class={`papers-grid${silence.value ? " stale" : ""}`}>
      <header class="bar"><h1>{tr("papers")}</h1><Freshness silence={silence.value} /><span class="grow" /><SiteClock live={live} /><LanguageButton /></header>
      {now === "out" ? <p class="panel">{tr("takeSeat")}: <a href="/inspection">{tr("review")}</a></p> : review ? <PapersPanel papers={review.papers} wide /> : <p class="panel dim">{tr("nothingWaits")}</p>}
    </main>
  );
}
render(<Console />, document.getElementById("app")!);
