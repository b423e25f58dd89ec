import "./inspection.css";
import { computed, effect, signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { follow, type Silence } from "./live";
import { ageText } from "./numbers";
import { Freshness, LanguageButton, NewBuild, SiteClock, useTitle } from "./parts";
import { Desk, SignIn } from "./review-desk";
import { Picture } from "./review-picture";
import { Besides, ImagePanel, MarksPanel, PapersPanel, Signing, Tools, VerdictPanel } from "./review-side";
import { ask, askMe, me, Reviewing } from "./review-state";
import { Strip } from "./review-strip";
import type { Judge, Me, Review, Said } from "./wire.gen";
import { both, say, tr } from "./words";

const LOCK_WARN_S = 60, ASK_AGAIN_MS = 5000;

const live = follow("/api/live/inspection");
const silence = computed<Silence>(() => (!live.linked.value ? "server" : !live.bus.value ? "bus" : null));
const title = computed(() => `${silence.value ? both("stale")[0] : both("review")[0]} · Quaygate`);
/** The bus may be away without harm: a verdict is written down first and told when it is back. */
const locked = computed(() => silence.value === "server");
const last = signal<Said | null>(null);
/** The scan on the screen: one that went back to the pool by itself stays, locked, until its reader has read why. */
const inHand = signal<Review | null>(null);
/** Whether it is being judged or put back by this page, so that its going is no news. */
const leaving = signal(false);
let finished: string | null = null;
const theirs = (): Review | null => (me.value !== null && me.value !== "out" ? me.value.review : null);
effect(() => {
  const review = theirs();
  if (review === null) finished = null;
  else if (review.card.digest !== finished) inHand.value = review;
});
const finish = (): void => { finished = theirs()?.card.digest ?? null; inHand.value = null; void askMe(); };

function Console() {
  const hello = live.hello.value, now = me.value, revision = live.known.value.desk?.revision;
  useTitle(title);
  useEffect(() => { if (live.linked.value) void askMe(); }, [revision, live.linked.value]);
  useEffect(() => { const timer = setInterval(() => { if (me.value !== null && me.value !== "out") void askMe(); }, ASK_AGAIN_MS); return () => clearInterval(timer); }, []);
  const review = now === "out" ? null : inHand.value, gone = review !== null && theirs() === null && !leaving.value, person = now !== null && now !== "out" ? hello?.persons.find((p) => p.id === now.person) : null;
  const leave = async (): Promise<void> => { await ask("/api/inspection/leave", {}); last.value = null; inHand.value = null; me.value = "out"; };
  return (
    <main class={`${review ? "review-grid" : "desk-grid"}${silence.value ? " stale" : ""}`}>
      <header class="bar">
        <h1>{tr("review")}</h1>
        <Freshness silence={silence.value} />
        {review && <Heading key={review.card.digest} review={review} />}
        <span class="grow" />
        {now !== null && now !== "out" && <Rest now={now} />}
        <NewBuild live={live} />
        <SiteClock live={live} />
        {person && <span class="person"><b id="who">{say(person)}</b>{!review && <button type="button" class="quiet" id="leave" onClick={() => void leave()}>{tr("leaveSeat")}</button>}</span>}
        <LanguageButton />
      </header>
      {!hello || now === null ? <p class="panel">{tr("connecting")}</p> : now === "out" ? <SignIn hello={hello} /> : review ? <Reading key={review.card.digest + review.number} review={review} gone={gone} /> : <Desk live={live} me={now} hello={hello} locked={locked.value} said={last.value} />}
    </main>
  );
}

function Rest({ now }: { now: Me }) {
  const over = now.rest.reading_s > now.rest.due_s;
  return now.rest.reading_s < 60 ? null : <span class={over ? "chip rest over" : "chip rest"}>{tr("readFor")} {ageText(now.rest.reading_s)}</span>;
}

function Heading({ review }: { review: Review }) {
  const { card, papers } = review, began = useMemo(() => performance.now() / 1000 - review.elapsed_s, [review]);
  void live.now.value;
  const spent = Math.floor(performance.now() / 1000 - began);
  return (
    <>
      <b class="big">{papers.containers.join(" ") || papers.plate || card.scanner}</b>
      <span class="dim">{tr("task")} #{review.number} · {card.scanner} · {tr("wholeFrame")} {card.rows}×{card.pixels} · {card.he_mev}/{card.le_mev} MeV</span>
      {papers.targeted && <span class="chip targeted">{tr("targeted")}</span>}
      {[...new Map(card.remarks.map((r) => [r.flaw, r])).values()].map((r) => <span key={r.flaw} class="chip flaw">{say(r.say)}</span>)}
      <time class="num spent" aria-label={tr("elapsed")}>{String(Math.floor(spent / 60)).padStart(2, "0")}:{String(spent % 60).padStart(2, "0")}</time>
    </>
  );
}

/** One scan before a person's eyes. */
function Reading({ review, gone }: { review: Review; gone: boolean }) {
  const at = useMemo(() => new Reviewing(review, () => locked.value), [review.card.digest]);
  useEffect(() => { if (gone) at.lost.value = true; }, [gone]);
  const [finding, setFinding] = useState<Judge["finding"] | null>(null), [choosing, setChoosing] = useState(false);
  useEffect(() => { (window as unknown as { reviewing: Reviewing }).reviewing = at; }, [at]);
  const back = async (): Promise<void> => {
    leaving.value = true;
    const told = await ask<Said>(`/api/inspection/tasks/${review.card.digest}/back`, {});
    if (told?.kind === "done") { last.value = null; finish(); }
    leaving.value = false;
  };
  const beside = (): void => { if (at.beside.value) void at.compare(null); else setChoosing(true); };
  const done = (said: Said): void => { last.value = said; finish(); };
  const progress = at.progress.value, left = at.leftS.value;
  return (
    <>
      <Picture at={at} locked={locked.value || at.lost.value} onVerdict={setFinding} onBeside={beside} label={`${tr("review")} ${review.papers.containers.join(" ")}`} />
      <Strip at={at} />
      <Tools at={at} onBeside={beside} />
      <aside>
        <PapersPanel papers={review.papers} />
        <ImagePanel at={at} />
        <MarksPanel at={at} />
        <VerdictPanel at={at} locked={locked.value} onVerdict={setFinding} onBack={() => void back()} />
      </aside>
      <span class="loading dim num" id="loaded" data-whole={String(progress.whole)}>{progress.share < 1 ? `${tr("loaded")} ${Math.floor(100 * progress.share)} %` : ""}</span>
      {at.lost.value ? <p class="lock-note" role="alert" id="lost"><b>{tr("lostTask")}</b> <button type="button" id="close" onClick={finish}>{tr("closeIt")}</button></p> : left < LOCK_WARN_S && <p class="lock-note" role="alert" id="lock-soon"><b>{tr("lockSoon")}: <span class="num">{Math.ceil(left)} s</span></b> · {tr("anyKey")}</p>}
      {finding && <Signing at={at} finding={finding} onClose={() => setFinding(null)} onWay={(is) => { leaving.value = is; }} onDone={done} />}
      {choosing && <Besides at={at} onClose={() => setChoosing(false)} />}
    </>
  );
}
render(<Console />, document.getElementById("app")!);
