import { signal } from "@preact/signals";
import { reviewWords } from "./words-review";
import type { Event, FixNow, HealthNow, InputName, LaneState, LineNow, OrderNow, Outcome, PersonCard, ReadNow, Reason, Shape, Step, Text, ViewBody, WeightBody } from "./wire.gen";

type Pair = [zh: string, en: string];

/** Both languages of every word live here; a missing one is a type error. One word a thing, the same on every page. */
const words = {
  mode: ["模式", "Mode"], seen: ["识别", "Seen"], matching: ["比对", "Matching"], awaitsSecond: ["等待第二人签名", "Waits for a second signature"], countersign: ["第二人签名", "Sign as second"], lapses: ["剩余", "lapses in"], heldOpen: ["闸杆保持开启", "Boom held open"], until: ["至", "until"], passedUnder: ["已通过", "passed"], localMode: ["本地模式", "Local"], toCustoms: ["待报海关", "reports"], shiftOverrides: ["本班人工", "by hand"], byHand: ["本班人工", "By hand, this shift"], holdOpen: ["保持开启", "Hold open"], howLong: ["仅本车,或保持开启", "This truck only, or hold open for"], onceOnly: ["仅本车", "Once"], lowerNow: ["紧急落杆(闸下有车仍禁止)", "Emergency: lower at once (never onto a vehicle)"], endHold: ["结束保持", "End hold-open"], confirmRelease: ["确认放行", "Confirm release"], minutes: ["分钟", "min"], corrected: ["更正", "corrected"],
  ...reviewWords, queue: ["排队", "Queue"],
  lane: ["车道", "Lane"], lanes: ["车道", "Lanes"], room: ["中控", "Control room"], review: ["审图", "Image review"], site: ["卡口", "Gate"], live: ["实时", "Live"], stale: ["数据中断", "DATA STALE"],
  gross: ["毛重", "Gross weight"], declared: ["申报", "Declared"], settled: ["已稳定", "Settled"], axleLoad: ["轴重", "Axle load"], axleSum: ["轴重累计", "Sum of axles"], axleSumNote: ["轴重累计,非整车称重", "sum of axles, not weighed whole"], axlesSoFar: ["已称轴数", "Axles weighed"], notSettled: ["尚未稳定", "Not settled"], difference: ["相差", "Off by"], none: ["无", "None"],
  reads: ["识别", "Reads"], confidence: ["置信度", "Confidence"], barrier: ["道闸", "Barrier"], commanded: ["指令", "Commanded"], lamp: ["红绿灯", "Traffic light"], deck: ["磅台", "Deck"],
  order: ["核放指令", "Order"], issuer: ["签发", "Issued by"], valid: ["有效", "Valid"], expired: ["已过期", "Expired"], noOrder: ["未持有指令", "No order held"],
  decision: ["判定", "Decision"], reasons: ["原因", "Reasons"], clears: ["解除", "Clears"], steps: ["步骤", "Steps"], noReads: ["车道内尚无识别", "Nothing read yet"],
  manualRelease: ["人工放行", "Manual release"], manualLower: ["人工落杆", "Lower by hand"], hold: ["按住 1 秒", "Hold 1 s"], locked: ["已锁定", "Locked"],
  noPassage: ["车道内没有车", "No truck in the lane"], release: ["放行", "Release"],
  customs: ["海关系统", "Customs link"], up: ["正常", "up"], down: ["中断", "down"], local: ["本地模式", "LOCAL"], unsent: ["待上传记录", "Records to send"],
  today: ["今日", "Today"], passages: ["过卡", "trucks"], refusals: ["拒绝", "refused"], overrides: ["人工", "manual"], passage: ["过卡", "Passage"],
  theme: ["夜间", "Night"], themeDay: ["日间", "Day"], simulated: ["模拟", "SIMULATED"], newBuild: ["页面有更新,点此载入", "Page updated: load it"], connecting: ["正在连接", "Connecting"],
  silentServer: ["服务器无应答", "Server silent"], silentBus: ["总线中断", "Bus down"], silentLane: ["车道无消息", "Lane silent"], silentOffline: ["车道离线", "Lane offline"],
  chooseReason: ["选择原因", "Choose a reason"], note: ["补充说明", "Words of your own"], noteNeeded: ["「其他」须填写说明", "“Other” needs words"], choosePerson: ["经办人", "Who orders"], pin: ["密码", "PIN"],
  noPersons: ["本站未登记可签名人员", "Nobody at this site may sign"], sign: ["签名并发出", "Sign and send"], signing: ["已发出,等待车道答复", "Sent, waiting for the lane"], cancel: ["取消", "Cancel"], erase: ["退格", "Erase"],
  truckChanged: ["车辆已变,请取消后重新操作", "The truck has changed: cancel and start again"], truckGone: ["车辆已离开", "The truck has gone"], sentFor: ["绑定", "Bound to"], role: ["岗位", "Role"],
  overview: ["总览", "Overview"], open: ["打开", "Open"], map: ["站区图", "Site map"], trackers: ["定位终端", "Trackers"], noFix: ["定位丢失", "Fix lost"], noDrawing: ["站点未配置图形", "This site has no drawing"],
  trucksHour: ["车次/小时", "Trucks/h"], alarms10: ["报警/10 分钟", "Alarms/10 min"], target: ["目标", "Target"], limit: ["上限", "Limit"], devices: ["设备", "Devices"], alarms: ["报警", "Alarms"], noAlarms: ["无报警", "No alarms"],
  events: ["拒绝、人工与故障", "Refusals, orders by hand, faults"], noEvents: ["暂无", "None so far"], returned: ["已恢复", "Returned"], active: ["未恢复", "Active"], flood: ["报警洪泛", "ALARM FLOOD"],
  trends: ["趋势", "Trends"], weights: ["毛重", "Gross weight"], laneSeconds: ["过卡用时", "Lane seconds"], noTrend: ["暂无历史", "No history yet"], hours4: ["近 4 小时", "Last 4 h"],
  health: ["设备状态", "Device health"], instrument: ["设备", "Device"], link: ["连接", "Link"], rate: ["报文/秒", "Words/s"], garbage: ["乱码", "Garbage"], gaps: ["缺号", "Gaps"], reconnects: ["重连", "Reconnects"], lastWord: ["末条", "Last word"], node: ["节点", "Node"],
  latency: ["时延", "Latency"], latencyMeans: ["有问有答:从问到答;自发报文:间隔中值 + 最长超出", "Asked: question to answer. Unasked: median interval + the longest excess"], calibratedOn: ["检定", "Calibrated"], certificateUntil: ["有效期至", "Certificate until"], certificateOver: ["检定已过期", "Certificate ended"], days: ["天", "d"], zero: ["零点", "Zero"], kgPerDay: ["千克/天", "kg/d"], zeroRemedy: ["清理秤台,检查传感器", "clean the deck, check the cells"],
  online: ["在线", "Online"], offline: ["离线", "Offline"], age: ["时龄", "Age"], time: ["时间", "Time"], late: ["补传", "Late"], everyLane: ["全部", "All"], speed: ["速度", "Speed"],
  unknownState: ["未知", "Unknown"], seconds: ["秒", "s"], occupied: ["占用", "Occupied"], clear: ["空", "Clear"], notKnown: ["不明", "Not known"], checkOk: ["校验相符", "check ok"], checkBad: ["校验不符", "invalid"], tagOk: ["与车牌一致", "matches plate"], tagBad: ["与车牌不符", "differs"],
  orderMayStill: ["指令可能仍会执行,请看道闸", "The order may still be carried out: watch the barrier"], tries: ["剩余次数", "Tries left"], wait: ["请等待", "Wait"], emptyLane: ["车道空闲", "Lane empty"], working: ["处理中", "Working"], fullScale: ["量程", "Range"],
} satisfies Record<string, Pair>;
export type Word = keyof typeof words;

export const stepWord = {
  arrive: ["到达", "Arrive"], identify: ["识别", "Identify"], weigh: ["称重", "Weigh"], clear: ["核放", "Clear"], decide: ["判定", "Decide"], raise: ["抬杆", "Raise"], cross: ["通过", "Cross"], lower: ["落杆", "Lower"],
} satisfies Record<Step["step"], Pair>;
export const stateWord = {
  waking: ["启动中", "Waking"], empty: ["空闲", "Empty"], gathering: ["采集中", "Gathering"], asking: ["询问海关", "Asking"], cleared: ["已核放", "Cleared"], held: ["等待处理", "Held"], raising: ["抬杆中", "Raising"], open: ["已开", "Open"],
  crossing: ["通过中", "Crossing"], clearing: ["已通过", "Clearing"], kept: ["保持开启", "Held open"], lowering: ["落杆中", "Lowering"], fault: ["故障", "Fault"],
} satisfies Record<LaneState, Pair>;
export const decisionWord = {
  none: ["处理中", "WORKING"], release: ["放行", "RELEASE"], hold: ["拦截", "HOLD"], inspect: ["转查验", "INSPECT"], refuse: ["不予放行", "REFUSE"], override: ["人工放行", "OVERRIDE"], refused: ["闭锁拒绝", "REFUSED"],
} satisfies Record<ViewBody["decision"], Pair>;
export const boomWord = { down: ["落杆", "Down"], moving: ["动作中", "Moving"], up: ["抬起", "Up"], fault: ["故障", "Fault"], unknown: ["位置不明", "Unknown"] } satisfies Record<ViewBody["boom"], Pair>;
export const lampWord = { red: ["红灯", "Red"], green: ["绿灯", "Green"], off: ["熄灭", "Off"], unknown: ["不明", "Unknown"] } satisfies Record<ViewBody["lamp"], Pair>;
export const movementWord = { raise: ["抬杆", "Raise"], lower: ["落杆", "Lower"] } satisfies Record<NonNullable<ViewBody["asked"]>, Pair>;
export const weightWord = {
  stable: ["稳定", "Stable"], motion: ["未稳", "In motion"], unknown: ["状态不明", "Status not known"], overload: ["超载", "OVERLOAD"], underload: ["欠载", "UNDERLOAD"], blank: ["无显示", "NO DISPLAY"], error: ["仪表故障", "INDICATOR ERROR"], tared: ["已去皮", "TARE IS ON"],
} satisfies Record<WeightBody["status"], Pair>;
export const readWord = { plate: ["车牌", "Plate"], trailer: ["挂车", "Trailer"], container: ["箱号", "Container"], tag: ["电子车牌", "RFID tag"], seal: ["关锁", "Seal"], card: ["司机卡", "Driver card"] } satisfies Record<ReadNow["what"], Pair>;
export const clearsWord = { "by itself": ["自动", "by itself"], operator: ["值班员", "operator"], customs: ["海关", "customs"], inspector: ["审图员", "inspector"], service: ["维修", "service"] } satisfies Record<Reason["clears"], Pair>;
export const verbWord = {
  release: ["放行", "release"], hold: ["拦截", "hold"], inspect: ["查验", "inspect"], refuse: ["不予放行", "refuse"], confirm: ["确认放行", "confirm release"], hold_open: ["保持开启", "hold open"], close: ["结束保持开启", "end hold-open"],
  lower: ["落杆", "lower"], lower_now: ["紧急落杆", "emergency lower"],
} satisfies Record<OrderNow["verb"], Pair>;
export const modeWord = { live: ["自动", "Automatic"], advisory: ["建议", "Advisory"], shadow: ["影子", "Shadow"] } satisfies Record<ViewBody["mode"], Pair>;
export const checkWord = { plate: ["车牌", "Plate"], tag: ["电子车牌", "Tag"], trailer: ["挂车", "Trailer"], containers: ["箱号", "Containers"], seal: ["封志", "Seal"], weight: ["重量", "Weight"], direction: ["方向", "Direction"], document: ["单证", "Document"] } satisfies Record<LineNow["check"], Pair>;
export const directionWord = { in: ["进", "In"], out: ["出", "Out"] } satisfies Record<"in" | "out", Pair>;
export const foundWord = { same: ["相符", "agrees"], free: ["未申报", "not declared"], unread: ["未读到", "not read"], differs: ["不符", "differs"] } satisfies Record<LineNow["found"], Pair>;
export const leadsWord = { retry: ["重读", "read again"], correct: ["可更正", "may be corrected"], inspect: ["转查验", "inspection"], refuse: ["退出", "has to leave"] } satisfies Record<LineNow["leads"], Pair>;
export const localWord = { refuse: ["不放行", "no release"], operator: ["单人放行", "one releases"], known_empty: ["已知空车放行", "empties pass"] } satisfies Record<"refuse" | "operator" | "known_empty", Pair>;
export const roleWord = { operator: ["值班员", "Operator"], supervisor: ["值班长", "Supervisor"], inspector: ["审图员", "Inspector"] } satisfies Record<PersonCard["role"], Pair>;
export const inputWord = {
  loop_arrival: ["到达地感", "Arrival loop"], beam_rear: ["后光幕", "Rear beam"], beam_front: ["前光幕", "Front beam"], loop_boom: ["闸下地感", "Boom loop"], photocell: ["光电", "Photocell"], limit_down: ["下限位", "Down switch"], limit_up: ["上限位", "Up switch"], boom_fault: ["道闸故障", "Boom fault"],
  axle_in: ["计轴·来", "Axle sensor, before"], axle_on: ["计轴·上秤", "Axle sensor, near edge"], axle_out: ["计轴·下秤", "Axle sensor, far edge"],
} satisfies Record<InputName, Pair>;
export const outcomeWord = {
  accepted: ["车道已接受", "The lane accepts"], awaits: ["已签名,等待第二人在另一屏签名", "Signed; a second person must sign on another screen"], "same screen": ["第二人须在另一屏签名", "The second person signs on another screen"], lapsed: ["该指令已失效", "That order waits no more"], refused: ["车道拒绝", "The lane refuses"], "no answer": ["车道没有答复", "The lane does not answer"], "wrong pin": ["密码错误", "Wrong PIN"], locked: ["密码多次错误,已锁定", "Too many wrong PINs: locked"],
  busy: ["正忙,请稍后", "Busy, try again"], "unknown person": ["人员未登记", "Person not known"], stale: ["数据中断,不能下令", "Data stale: nothing can be ordered"], "no bus": ["总线中断,未发出", "Bus down: not sent"], malformed: ["内容不完整", "Something is missing"],
} satisfies Record<Outcome["kind"], Pair>;
export const eventWord = { refusal: ["拒绝", "Refusal"], override: ["人工", "By hand"], boom: ["道闸", "Barrier"], alarm: ["报警", "Alarm"], passage: ["过卡", "Passage"], answer: ["人工指令", "Manual order"], zone: ["电子围栏", "Zone"], sealing: ["关锁", "Seal"] } satisfies Record<Event["kind"], Pair>;
export const shapeWord = { quay: ["码头", "Quay"], yard: ["堆场", "Yard"], road: ["道路", "Road"], building: ["建筑", "Building"], lane: ["车道", "Lane"], fence: ["电子围栏", "Geofence"], route: ["规定路线", "Route"] } satisfies Record<Shape["kind"], Pair>;
export const hintWord = { jamming: ["疑似干扰", "Jamming?"], spoofing: ["疑似欺骗", "Forged?"], antenna: ["天线", "Antenna?"], clock: ["时钟", "Clock?"] } satisfies Record<FixNow["body"]["hints"][number]["kind"], Pair>;
export const linkWord = (up: HealthNow["body"]["up"]): Pair => (up ? ["连通", "Up"] : ["断开", "DOWN"]);

const STORE = "quaygate.language";
export const language = signal<0 | 1>(localStorage.getItem(STORE) === "en" ? 1 : 0);

export const tr = (word: Word): string => words[word][language.value];
export const both = (word: Word): Pair => words[word];
/** This language's side of a pair or of a text from the wire. */
export const say = (text: Pair | Text | { zh: string; en: string }): string => (Array.isArray(text) ? text[language.value] : language.value ? text.en : text.zh);
/** The word of an open set, or the bare name where the page does not know it. */
export function wordOf(table: Record<string, Pair>, name: string): string { const pair = table[name]; return pair ? say(pair) : name; }

export function setLanguage(to: 0 | 1): void {
  language.value = to;
  localStorage.setItem(STORE, to ? "en" : "zh");
  document.documentElement.lang = to ? "en" : "zh-CN";
}
export const toggleLanguage = (): void => setLanguage(language.value ? 0 : 1);
document.documentElement.lang = language.value ? "en" : "zh-CN";

/** `E` changes the language wherever one is not typing. */
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
  if (event.key.toLowerCase() === "e" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) toggleLanguage();
});
