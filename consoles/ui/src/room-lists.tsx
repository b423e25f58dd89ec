import type { Live } from "./live";
import { clockText } from "./numbers";
import { Age, Mark } from "./parts";
import { eventWord, say, tr } from "./words";

const EVENTS_SHOWN = 40;

/** What asks for a person: the active ones by priority and age, then hollow what has returned. */
export function Alarms({ live }: { live: Live }) {
  const alarms = Object.values(live.known.value.alarms).sort((a, b) => Number(b.active) - Number(a.active) || a.priority - b.priority || b.at - a.at);
  return (
    <div class="alarms">
      <h2 class="dim">{tr("alarms")}</h2>
      {alarms.length === 0 ? <p class="calm-word">{tr("noAlarms")}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={tr("alarms")}>
          <table id="alarms"><tbody>
            {alarms.map((alarm) => (
              <tr key={`${alarm.node}/${alarm.alarm}`} class={alarm.active ? "active" : "returned"}>
                <td class="mark-cell"><Mark priority={alarm.priority} lit={alarm.active} /></td><td class="nowrap">{alarm.node}</td><td class="say">{say(alarm.say)}</td>
                <td class="nowrap dim">{tr(alarm.active ? "active" : "returned")}</td><td class="nowrap r"><Age live={live} at={alarm.at} /></td>
              </tr>
            ))}
          </tbody></table>
        </div>
      )}
    </div>
  );
}

/** Refusals and faults as they come, the newest on top, each with its sentence. */
export function Events({ live }: { live: Live }) {
  const events = [...live.known.value.events].sort((a, b) => b.at - a.at).slice(0, EVENTS_SHOWN);
  return (
    <div>
      <h2 class="dim">{tr("events")}</h2>
      {events.length === 0 ? <p class="calm-word">{tr("noEvents")}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={tr("events")}>
          <table class="events" id="events"><tbody>
            {events.map((event) => (
              <tr key={event.id}>
                <td class="nowrap num">{clockText(event.at)}</td><td class="mark-cell"><Mark priority={event.priority} /></td><td class="nowrap">{event.node}</td><td class="nowrap dim">{say(eventWord[event.kind])}{event.historical ? ` · ${tr("late")}` : ""}</td>
                <td class="say"><ul>{event.say.map((text) => <li key={text.en}>{say(text)}</li>)}</ul></td>
              </tr>
            ))}
          </tbody></table>
        </div>
      )}
    </div>
  );
}
