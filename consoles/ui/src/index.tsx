import "./index.css";
import { signal } from "@preact/signals";
import { render } from "preact";
import { Both, LanguageButton, ThemeButton } from "./parts";
import type { Hello } from "./wire.gen";
import { both, say, tr } from "./words";

const RETRY_MS = 2000;
const site = signal<Hello | null>(null);

async function ask(): Promise<void> {
  try { site.value = (await (await fetch("/api/site")).json()) as Hello; } catch { setTimeout(() => void ask(), RETRY_MS); }
}
void ask();

function Index() {
  const hello = site.value;
  return (
    <main>
      <header><h1>{hello ? <Both pair={[hello.site.zh, hello.site.en]} /> : tr("connecting")}</h1><span class="grow" /><ThemeButton /><LanguageButton /></header>
      {hello && <nav aria-label={say(hello.site)}><ul>
        <li><a href="/room"><Both pair={both("room")} /></a></li>
        {hello.review && <li><a href="/inspection"><Both pair={both("review")} /></a></li>}
        {hello.lanes.map((lane) => <li key={lane.id}><a href={`/lane/${encodeURIComponent(lane.id)}`}><b>{lane.id}</b><span><Both pair={[lane.zh, lane.en]} /></span></a></li>)}
      </ul></nav>}
    </main>
  );
}
render(<Index />, document.getElementById("app")!);
