import "./lane.css";
import { computed, signal } from "@preact/signals";
import { render } from "preact";
import { Commands, Orders, Second, type Asked } from "./lane-orders";
import { Decision, Notices, Reads, Steps, Weight } from "./lane-parts";
import { Ground } from "./lane-ground";
import { follow, isFresh, silenceOf } from "./live";
import { Freshness, LanguageButton, NewBuild, SiteClock, ThemeButton, useTitle } from "./parts";
import { both, decisionWord, modeWord, say, tr } from "./words";

const lane = decodeURIComponent(location.pathname.split("/").pop() ?? "");
const live = follow(`/api/live/lane/${encodeURIComponent(lane)}`);
const silence = silenceOf(live, lane);
const asked = signal<Asked | null>(null);
const second = signal<string | null>(null);
const view = computed(() => live.known.value.views[lane] ?? null);
/** The newer of the indicator's own samples and what the lane last said of them. */
const weight = computed(() => {
  const sample = live.known.value.weights[lane], now = view.value?.body.weight;
  if (sample && (now?.at === null || now?.at === undefined || sample.at >= now.at)) return { ...sample.body, at: sample.at };
  return now ? { gross_kg: now.gross_kg, status: now.status, settled_kg: now.settled_kg, uncertainty_kg: now.uncertainty_kg, at: now.at, axles: null } : null;
});
const weightFresh = computed(() => isFresh(live, "weight", weight.value?.at) && (view.value?.body.weight.fresh ?? false));
const title = computed(() => `${lane} ${silence.value ? both("stale")[0] : view.value ? say(decisionWord[view.value.body.decision]) : ""} · Quaygate`);

function Console() {
  const hello = live.hello.value, now = view.value, card = hello?.lanes.find((l) => l.id === lane);
  useTitle(title);
  return (
    <main class={silence.value ? "lane-grid stale" : "lane-grid"}>
      <header class="bar">
        <h1>{card ? say(card) : tr("lane")} <small>{lane}</small></h1>
        <Freshness silence={silence.value} />
        {now && <span class={`mode ${now.body.mode}`} id="mode" title={tr("mode")}>{say(modeWord[now.body.mode])}</span>}
        <span class="grow" />
        <NewBuild live={live} />
        <SiteClock live={live} />
        <ThemeButton />
        <LanguageButton />
      </header>
      {now && card ? (
        <>
          <Steps live={live} view={now} running={!silence.value} />
          <div class="left">
            <Weight live={live} view={now} card={card} weight={weight.value} fresh={weightFresh.value} />
            <Ground live={live} view={now} division={card.division_kg} />
          </div>
          <div class="right">
            <Decision live={live} view={now} fresh={!silence.value} />
            <Notices live={live} view={now} locked={silence.value !== null} onCountersign={() => { second.value = now.body.awaits?.order ?? null; }} />
            <Reads live={live} view={now} />
          </div>
          <Commands live={live} view={now} locked={silence.value !== null} onAsk={(verb) => { asked.value = { verb, passage: now.body.passage }; }} />
          {asked.value && hello && <Orders lane={lane} hello={hello} view={now} asked={asked.value} locked={silence.value !== null} onClose={() => { asked.value = null; }} />}
          {second.value !== null && hello && <Second lane={lane} hello={hello} order={second.value} onClose={() => { second.value = null; }} />}
        </>
      ) : <p class="panel">{tr("connecting")} · {lane}</p>}
    </main>
  );
}
render(<Console />, document.getElementById("app")!);
