import "./room.css";
import { computed } from "@preact/signals";
import { render } from "preact";
import { follow, type Silence } from "./live";
import { Freshness, LanguageButton, NewBuild, SiteClock, useTitle } from "./parts";
import { Alarms, Events } from "./room-lists";
import { Health } from "./room-health";
import { SiteMap } from "./room-map";
import { Tiles } from "./room-tiles";
import { Trends } from "./room-trends";
import { both, say, tr } from "./words";

/** EEMUA 191: one in ten minutes is very likely acceptable, two the manageable most, more than ten a flood. */
const ALARMS_TARGET = 1, ALARMS_LIMIT = 2, ALARMS_FLOOD = 10;

const live = follow("/api/live/room");
const silence = computed<Silence>(() => (!live.linked.value ? "server" : !live.bus.value ? "bus" : null));
const title = computed(() => `${silence.value ? both("stale")[0] : both("room")[0]} · Quaygate`);

function Console() {
  const hello = live.hello.value, counts = live.known.value.counts, devices = Object.values(live.known.value.health);
  useTitle(title);
  const rung = counts?.alarms_10min ?? null;
  return (
    <main class={silence.value ? "room-grid stale" : "room-grid"}>
      <header class="bar">
        <h1>{hello ? say(hello.site) : tr("room")}</h1>
        <Freshness silence={silence.value} />
        <span class="figure">{tr("trucksHour")}<b class="num" id="trucks">{counts?.trucks_1h ?? "–"}</b></span>
        <span class={rung !== null && rung > ALARMS_LIMIT ? "figure over" : "figure"}>{tr("alarms10")}<b class="num" id="rate">{rung ?? "–"}</b><small>{tr("target")} {ALARMS_TARGET}, {tr("limit")} {ALARMS_LIMIT}</small></span>
        {rung !== null && rung > ALARMS_FLOOD && <span class="flood" role="status">{tr("flood")}</span>}
        <span class="figure">{tr("byHand")}<b class="num" id="by-hand">{hello ? Object.values(live.known.value.views).reduce((sum, view) => sum + view.body.overrides_shift, 0) : "–"}</b></span>
        <span class="figure">{tr("devices")}<b class="num" id="devices">{devices.filter((d) => d.body.up).length}/{devices.length}</b></span>
        <span class="grow" />
        <NewBuild live={live} />
        <SiteClock live={live} />
        <LanguageButton />
      </header>
      {hello ? (
        <>
          <div class="west">
            <Tiles live={live} hello={hello} />
            <SiteMap live={live} hello={hello} />
          </div>
          <div class="east">
            <div class="panel lists"><Alarms live={live} /><Events live={live} /></div>
            <Trends live={live} hello={hello} />
            <Health live={live} />
          </div>
        </>
      ) : <p class="panel">{tr("connecting")}</p>}
    </main>
  );
}
render(<Console />, document.getElementById("app")!);
