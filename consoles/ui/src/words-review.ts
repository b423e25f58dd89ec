type Pair = [zh: string, en: string];

/** The words of the image review (words.ts joins them with the others). */
export const reviewWords = {
  review: ["审图", "Image review"], takeSeat: ["就座", "Take a seat"], leaveSeat: ["离座", "Leave"], whoReads: ["审图员", "Inspector"], seatFor: ["签到后 12 小时内有效,刷新页面不丢失", "Good for a shift of 12 hours; a reload loses nothing"],
  nextScan: ["取下一幅", "Next scan"], nothingWaits: ["暂无待审图像", "Nothing waits for you"], waitingScans: ["待审", "Waiting"], inReview: ["审图中", "In review"], scanningNow: ["扫描中", "Scanning"], watchLive: ["看实时", "Watch live"], hideLive: ["收起", "Hide"],
  task: ["任务", "Task"], waits: ["等待", "Waits"], container: ["箱号", "Container"], scanner: ["扫描仪", "Scanner"], reader: ["在看", "Read by"], reading: ["第几读", "Reading"], second: ["复核", "Second review"], status: ["状态", "State"],
  chance: ["由系统随机派图,不能自选", "Scans are handed out by chance; nobody chooses"], tallies: ["近 12 小时", "Last 12 h"], person: ["人员", "Person"], readings: ["审图数", "Read"], clearShare: ["无异常", "Clear"], openShare: ["查验/嫌疑", "Open/suspect"], median: ["中位用时", "Median"], agreed: ["复核一致", "Agreed"], noTallies: ["本班尚无审图", "Nothing read this shift"],
  rested: ["开始休息", "Rest now"], restDue: ["已连续审图", "Reading for"], restAdvice: ["请让眼睛休息 5 分钟", "rest your eyes for 5 minutes"], readFor: ["已连续审图", "Reading"], resting: ["休息中", "Resting"],
  papers: ["申报 / 舱单", "Declaration"], goods: ["品名", "Goods"], notKnownYet: ["未取得", "Not at hand"], imageMass: ["图像估重", "By image"], weighbridge: ["地磅", "Weighbridge"], targeted: ["布控", "Targeted"], noLane: ["车辆不在车道", "Not in a lane"], lanePictures: ["车道图片", "Lane pictures"], noPictures: ["无车道图片", "No lane pictures"], secondScreen: ["副屏", "Second screen"],
  grey: ["灰度", "Grey"], inverse: ["反相", "Inverse"], material: ["材质", "Material"], organic: ["有机", "Organic"], metal: ["金属", "Metal"], high: ["高能", "High"], low: ["低能", "Low"], logs: ["对数", "Log"], edge: ["锐化", "Edge"], localContrast: ["局部", "Local"], fit: ["全图", "Fit"], loupe: ["放大镜", "Loupe"], ruler: ["标尺", "Ruler"], mark: ["标注", "Mark"], beside: ["对比", "Compare"], help: ["按键", "Keys"],
  level: ["窗位", "Level"], width: ["窗宽", "Window"], reset: ["复位", "Reset"], presets: ["预设", "Presets"], full: ["全程", "All"], thin: ["薄", "Thin"], middle: ["中", "Middle"], thick: ["厚", "Thick"], wholeFrame: ["全帧", "Frame"], loaded: ["已载入", "Loaded"], zoom: ["倍率", "Zoom"],
  marks: ["标注", "Marks"], noMarks: ["A 画框标注", "A draws a box"], removeMark: ["删除", "Remove"], markNote: ["说明", "Note"], probe: ["测点", "Probe"], probeHow: ["点击图像或按 P", "Click the image, or P"], transmission: ["透射", "Transmission"], alpha: ["对数衰减", "Log-attenuation"], ratio: ["低/高比", "LE/HE ratio"], archiveValues: ["档案原值", "Archive's values"], pixelsMeasured: ["像素", "pixels"], notMeasured: ["未测到", "Not measured"], density: ["面密度", "Areal density"], steelLike: ["等效钢", "As steel"],
  flaws: ["图像缺陷", "Flaws of the image"], overviewStrip: ["总览", "Overview"], seenShare: ["已看", "Looked at"], unseenLeft: ["未看完,不能判无异常", "Look at all of it before it can be clear"], atZoom: ["倍率不低于", "at zoom"],
  verdict: ["结论", "Verdict"], clearVerdict: ["无异常", "Clear"], openVerdict: ["查验", "Open it"], suspectVerdict: ["嫌疑", "Suspect"], againVerdict: ["重扫", "Scan again"], holdKey: ["按住", "Hold"], putBack: ["退回", "Put back"], signVerdict: ["签名并提交", "Sign and submit"], verdictFor: ["绑定图像", "Bound to scan"], submitting: ["正在提交", "Submitting"], recorded: ["结论已记录", "Verdict recorded"], sentTo: ["已发往", "sent to"], elapsed: ["用时", "Time"], draftKept: ["已保存", "Saved"], draftSaving: ["正在保存", "Saving"], draftNotKept: ["未保存", "Not saved"],
  lockSoon: ["无操作,任务即将收回", "Nothing done: the scan goes back soon"], anyKey: ["按任意键继续", "press any key to go on"], lostTask: ["任务已不在手中:超时收回,或结论已记录", "Not in your hand any more: it went back to the pool, or your verdict is recorded"], tornScan: ["扫描不完整", "The scan is torn"], damagedScan: ["档案损坏", "Damaged file"], compareWith: ["对比图像", "Compare with"], sameContainer: ["同一箱", "Same container"], sameScanner: ["同一扫描仪", "Same scanner"], noneLike: ["没有可对比的图像", "Nothing to compare with"], closeIt: ["关闭", "Close"], waiting2: ["待审", "Waiting"], taken2: ["审图中", "In review"],
  noGl: ["此浏览器没有 WebGL2,不能审图", "This browser has no WebGL2: no review here"], truckPasses: ["车辆正在通过", "The truck is passing"], scanOver: ["扫描结束", "The scan is over"], noScanning: ["没有扫描在进行", "No scan under way"], mm: ["毫米", "mm"], middlePlane: ["按车道中面", "at the middle plane"],
  seenWhat: ["区域", "parts"], simulatedColour: ["材质按物理计算,本机未标定", "By physics: this scanner is not calibrated"], orElse: ["或", "or"], effectiveZ: ["等效原子序数", "Effective Z"], beforeThis: ["该车此前过卡", "Earlier passages of this plate"], oldest: ["最久等待", "Longest wait"], allReadings: ["合计", "All"],
} satisfies Record<string, Pair>;

export const findingWord = { clear: ["无异常", "Clear"], open: ["查验", "Open it"], suspect: ["嫌疑", "Suspect"], again: ["重扫", "Scan again"] } satisfies Record<string, Pair>;
export const saidWord = {
  done: ["已记录", "Done"], nothing: ["暂无待审图像", "Nothing waits"], "wrong pin": ["密码错误", "Wrong PIN"], locked: ["密码多次错误,已锁定", "Too many wrong PINs: locked"], busy: ["正忙,请稍后", "Busy, try again"], "unknown person": ["不是本站审图人员", "Not an inspector of this site"],
  malformed: ["内容不完整", "Something is missing"], "not yours": ["任务已收回", "The scan is not in your hand any more"], "unknown scan": ["档案中没有这幅图像", "No such scan"], torn: ["扫描不完整", "The scan is torn"], unseen: ["仍有区域未看", "Not all of it was looked at"], "no book": ["无法记录,未生效", "It could not be written down: it does not hold"],
} satisfies Record<string, Pair>;
export const secondWord = { "": ["", ""], random: ["抽查", "by chance"], targeted: ["布控", "targeted"], asked: ["请求复核", "asked for"], disagree: ["意见不一", "no agreement"] } satisfies Record<string, Pair>;

/** Keys of the picture, as the help shows them. */
export const keyWords: [keys: string, what: Pair][] = [
  ["1 2 3 4 5", ["灰度、反相、材质、仅有机、仅金属", "Grey, inverse, material, organic only, metal only"]],
  ["H", ["高能 / 低能", "High or low energy"]], ["K", ["对数 / 线性", "Log or linear"]], ["[ ]", ["窗宽减、增", "Window narrower, wider"]], [", .", ["窗位减、增", "Level down, up"]], ["R", ["窗口复位", "Reset the window"]], ["Shift+1..4", ["窗口预设", "Window presets"]],
  ["= -", ["放大、缩小", "Zoom in, out"]], ["0 9", ["全图、1:1", "Whole picture, 1:1"]], ["← ↑ → ↓", ["移动;加 Shift 移一屏", "Pan; with Shift by a screen"]], ["Space", ["按住看原始图", "Held: as measured"]],
  ["E", ["锐化", "Edge"]], ["L", ["局部对比", "Local contrast"]], ["M", ["放大镜", "Loupe"]], ["G", ["网格与标尺", "Grid and ruler"]], ["B", ["并排对比", "Side by side"]],
  ["A", ["画框:拖动,或方向键移动、Shift 调大小、Enter 确定", "Box: drag, or arrows move, Shift sizes, Enter sets"]], ["T D", ["下一标注、删除标注", "Next mark, remove it"]], ["Ctrl+Z", ["撤销标注", "Undo a mark"]], ["P", ["测量中心点或选中标注", "Probe the middle, or the mark that is chosen"]],
  ["C S", ["按住:无异常、查验", "Held: clear, open it"]], ["N", ["取下一幅", "Next scan"]], ["?", ["本表", "This list"]],
];
