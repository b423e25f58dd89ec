import { HE, LE, type Energy, type Tile } from "./xray-tile";
import { FRAGMENT, VERTEX } from "./xray-shader";

/** How a picture is shown; all of it is the shader's, none of it the server's. */
export type Look = {
  /** 0 grey, 1 inverse, 2 material, 3 organic only, 4 metal only. */
  mode: 0 | 1 | 2 | 3 | 4;
  energy: Energy;
  /** Whether the window lies on the log-attenuation (0 is air) or on the transmission (1 is air). */
  logs: boolean;
  /** Middle and width of the window, on that scale. */
  level: number; width: number;
  edge: number;
  local: boolean;
  /** The picture as measured, held while a person compares. */
  raw: boolean;
};
export type Frame = { rows: number; pixels: number; levels: number; tile: number; air: number; x_mm: number; y_mm: number };
/** Which part is shown: the full-resolution pixel in the middle, and canvas pixels a pixel along the truck. */
export type Place = { x: number; y: number; zoom: number };

/** Codes of the texture in a sigma of a full-resolution pixel: fine enough for the coarsest level's step. */
const UNITS = 16;
const BLOCK = 2048, HERE_COLUMNS = 128, HERE_ROWS_A_LEVEL = 8, AROUND = 5;
export const ZOOM_MOST = 16;

/** One canvas, one picture: all its levels in one array of integer textures, filtered by the shader. */
export class XrayView {
  look: Look = { mode: 0, energy: HE, logs: true, level: 2, width: 5, edge: 0, local: false, raw: false };
  place: Place = { x: 0, y: 0, zoom: 1 };
  frame: Frame = { rows: 1, pixels: 1, levels: 4, tile: 512, air: 60000, x_mm: 1, y_mm: 1 };
  /** Magnifier: middle of its circle in canvas pixels, and its radius; null for none. */
  loupe: { x: number; y: number; radius: number; times: number } | null = null;
  onDraw: () => void = () => {};
  /** Told when the coarsest level has changed: whoever draws the whole small must do so anew. */
  onCoarse: () => void = () => {};
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly uniforms = new Map<string, WebGLUniformLocation | null>();
  private picture: WebGLTexture | null = null;
  private readonly here = new Uint8Array(HERE_COLUMNS * HERE_ROWS_A_LEVEL * 4);
  private readonly fine = new Set<string>();
  private readonly halves = new Map<string, Tile>();
  private whole = new Map<number, Uint16Array<ArrayBuffer>>();
  private places: [number, number, number, number][] = [];
  private noise: [a: number, b: number][] = [[1, 1], [1, 1]];
  private table: { most: number; first: number; last: number } | null = null;
  private queued = false;

  /** Throws an Error where there is no WebGL2. */
  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("WebGL2");
    this.gl = gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "program");
    gl.useProgram(program);
    this.program = program;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.texture(1, gl.TEXTURE_2D); gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R8UI, HERE_COLUMNS, HERE_ROWS_A_LEVEL * 4);
    this.texture(2, gl.TEXTURE_2D); gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, 1, 1, 0, gl.RG, gl.FLOAT, new Float32Array(2));
    this.texture(3, gl.TEXTURE_2D); gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    this.texture(4, gl.TEXTURE_2D); gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, 1, 1, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, new Uint8Array(1));
    for (const [unit, name] of ["picture", "here", "around", "palette", "kinds"].entries()) gl.uniform1i(this.uniform(name), unit);
    this.open(this.frame);
  }

  /** Forget the last picture and make room for this one. */
  open(frame: Frame): void {
    const { gl } = this, w = frame.rows, h = frame.pixels;
    this.frame = frame;
    this.here.fill(0); this.fine.clear(); this.halves.clear(); this.whole = new Map();
    const sizes = [0, 1, 2, 3].map((l) => [Math.ceil(w / 2 ** l), Math.ceil(h / 2 ** l)] as const);
    const first = Math.ceil(w / BLOCK), rows = [0, 0, sizes[1]![1], sizes[1]![1] + sizes[2]![1]];
    this.places = sizes.map(([wide, high], l) => [l ? first : 0, rows[l]!, wide, high]);
    if (this.picture) gl.deleteTexture(this.picture);
    this.picture = this.texture(0, gl.TEXTURE_2D_ARRAY);
    const layers = first + Math.ceil(sizes[1]![0] / BLOCK);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RG16UI, Math.min(BLOCK, w), Math.max(h, rows[3]! + sizes[3]![1]), layers);
    this.sayHere();
    this.fit();
  }

  /** The picture has become longer; `open` made room for the longest. */
  grow(rows: number): void {
    this.frame = { ...this.frame, rows };
    for (const [l, place] of this.places.entries()) place[2] = Math.ceil(rows / 2 ** l);
  }

  /** What the colours mean: the binary of vision/xray/palette.py, inflated. */
  setPalette(head: DataView, body: Uint8Array<ArrayBuffer>): void {
    const { gl } = this, columns = head.getUint16(4, true), rows = head.getUint16(6, true), cells = columns * rows;
    gl.activeTexture(gl.TEXTURE3);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, columns, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, body.subarray(0, cells * 4));
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR); gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.activeTexture(gl.TEXTURE4);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, columns, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, body.subarray(cells * 4));
    this.table = { most: head.getFloat32(8, true), first: head.getFloat32(12, true), last: head.getFloat32(16, true) };
    this.onCoarse();
    this.request();
  }

  /** Whether the table of colours is here. */
  get coloured(): boolean { return this.table !== null; }
  /** Whether a tile is here in full. */
  has(energy: Energy, level: number, x: number, y: number): boolean { return this.fine.has(`${energy}/${level}/${x}/${y}`); }

  /** Put a tile where it belongs. A base never covers a fine one. */
  put(tile: Tile): void {
    const scale = tile.step * UNITS, { codes } = tile;
    this.noise[tile.energy] = [tile.a, tile.b];
    for (let i = 0; i < codes.length; i++) if (codes[i]) codes[i] = 1 + Math.round((codes[i]! - 1) * scale);
    if (tile.base) this.putBase(tile); else this.putFine(tile);
    this.sayHere();
    if (tile.level === this.frame.levels - 1) this.onCoarse();
    if (this.loupe !== null || this.isShown(tile)) this.request();
  }
  /** Whether anything on the canvas could look different for it: most of a picture is fetched ahead of the eye. */
  private isShown({ level, x, y, width, height }: Tile): boolean {
    const k = 2 ** level, s = this.shown;
    return level >= this.level && x * k < s.x + s.width && (x + width) * k > s.x && y * k < s.y + s.height && (y + height) * k > s.y;
  }

  private putBase(tile: Tile): void {
    const { width, height, level } = tile, size = this.frame.tile;
    let both = this.whole.get(level);
    if (!both || both.length !== width * height * 2) this.whole.set(level, (both = new Uint16Array(width * height * 2)));
    for (let i = 0; i < tile.codes.length; i++) both[2 * i + tile.energy] = tile.codes[i]!;
    const far = this.places[level]!;
    for (let x = 0; x < width; x += size) for (let y = 0; y < height; y += size) {
      if (this.has(HE, level, x, y) || this.has(LE, level, x, y)) continue;
      this.upload(level, x, y, Math.min(size, far[2] - x), Math.min(size, far[3] - y), both, width, x, y);
      this.mark(tile.energy, level, x, y);
    }
    if (level === 3 && tile.energy === HE) this.lookAround(tile);
  }

  private putFine(tile: Tile): void {
    const { level, x, y, width, height, energy } = tile, at = `${level}/${x}/${y}`;
    const other = this.halves.get(at), pair = new Uint16Array(width * height * 2);
    const under = this.whole.get(level), wide = this.places[level]![2], rest: Energy = energy === HE ? LE : HE;
    const otherCodes = other && other.energy !== energy ? other.codes : null;
    for (let row = 0, i = 0; row < height; row++) for (let column = 0; column < width; column++, i++) {
      pair[2 * i + energy] = tile.codes[i]!;
      pair[2 * i + rest] = otherCodes ? otherCodes[i]! : under ? under[2 * ((y + row) * wide + x + column) + rest]! : 0;
    }
    if (otherCodes) this.halves.delete(at); else this.halves.set(at, tile);
    this.upload(level, x, y, width, height, pair, width, 0, 0);
    this.fine.add(`${energy}/${at}`);
    this.mark(energy, level, x, y);
  }

  private upload(level: number, x: number, y: number, width: number, height: number, pairs: Uint16Array<ArrayBuffer>, stride: number, skipX: number, skipY: number): void {
    const { gl } = this, [layer, row] = this.places[level]!;
    gl.activeTexture(gl.TEXTURE0); gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.picture);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, stride); gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, skipX); gl.pixelStorei(gl.UNPACK_SKIP_ROWS, skipY);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, x % BLOCK, y + row, layer + Math.floor(x / BLOCK), width, height, 1, gl.RG_INTEGER, gl.UNSIGNED_SHORT, pairs);
    for (const what of [gl.UNPACK_ROW_LENGTH, gl.UNPACK_SKIP_PIXELS, gl.UNPACK_SKIP_ROWS]) gl.pixelStorei(what, 0);
  }

  private mark(energy: Energy, level: number, x: number, y: number): void {
    const at = (level * HERE_ROWS_A_LEVEL + Math.floor(y / this.frame.tile)) * HERE_COLUMNS + Math.floor(x / this.frame.tile);
    this.here[at] = this.here[at]! | (energy === HE ? 1 : 2);
  }

  private sayHere(): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, HERE_COLUMNS, HERE_ROWS_A_LEVEL * 4, gl.RED_INTEGER, gl.UNSIGNED_BYTE, this.here);
  }

  /** Mean and spread around each pixel of the coarsest level, for the local contrast. */
  private lookAround({ width, height, codes }: Tile): void {
    const sums = new Float64Array((width + 1) * (height + 1)), squares = new Float64Array(sums.length), made = new Float32Array(width * height * 2);
    for (let y = 0; y < height; y++) {
      let sum = 0, square = 0;
      for (let x = 0; x < width; x++) {
        const c = codes[y * width + x]!, to = (y + 1) * (width + 1) + x + 1;
        sum += c; square += c * c;
        sums[to] = sums[to - width - 1]! + sum; squares[to] = squares[to - width - 1]! + square;
      }
    }
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const x0 = Math.max(0, x - AROUND), x1 = Math.min(width, x + AROUND + 1), y0 = Math.max(0, y - AROUND), y1 = Math.min(height, y + AROUND + 1);
      const of = (s: Float64Array): number => (s[y1 * (width + 1) + x1]! - s[y0 * (width + 1) + x1]! - s[y1 * (width + 1) + x0]! + s[y0 * (width + 1) + x0]!) / ((x1 - x0) * (y1 - y0));
      const mean = of(sums);
      made[2 * (y * width + x)] = mean; made[2 * (y * width + x) + 1] = Math.sqrt(Math.max(0, of(squares) - mean * mean));
    }
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE2);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, width, height, 0, gl.RG, gl.FLOAT, made);
  }

  /** Rows of the picture a canvas pixel takes: the pitch along the truck and the detector's differ. */
  private get tallness(): number { return this.frame.y_mm / this.frame.x_mm; }
  /** The part on the canvas, in full-resolution pixels. */
  get shown(): { x: number; y: number; width: number; height: number } {
    const width = this.canvas.width / this.place.zoom, height = this.canvas.height / (this.place.zoom * this.tallness);
    return { x: this.place.x - width / 2, y: this.place.y - height / 2, width, height };
  }
  /** The level that is worth showing: its pixels are no larger than one and a half of the canvas'. */
  get level(): number { return Math.max(0, Math.min(3, Math.floor(Math.log2(1 / this.place.zoom) + 0.58))); }
  /** Full-resolution pixel under a canvas pixel. */
  at(x: number, y: number): { x: number; y: number } {
    const shown = this.shown;
    return { x: shown.x + x / this.place.zoom, y: shown.y + y / (this.place.zoom * this.tallness) };
  }
  /** The whole picture, its proportions kept. */
  fit(): void {
    const zoom = Math.min(this.canvas.width / this.frame.rows, this.canvas.height / (this.frame.pixels * this.tallness));
    this.go({ x: this.frame.rows / 2, y: this.frame.pixels / 2, zoom });
  }
  get fitted(): number { return Math.min(this.canvas.width / this.frame.rows, this.canvas.height / (this.frame.pixels * this.tallness)); }
  /** Go there; never out of the picture, never smaller than the whole of it. */
  go(to: Place): void {
    const zoom = Math.max(Math.min(this.fitted, 1), Math.min(ZOOM_MOST, to.zoom));
    this.place = { x: Math.max(0, Math.min(this.frame.rows, to.x)), y: Math.max(0, Math.min(this.frame.pixels, to.y)), zoom };
    this.request();
  }
  /** Zoom with the pixel under this canvas pixel held in its place. */
  zoomAt(times: number, x = this.canvas.width / 2, y = this.canvas.height / 2): void {
    const before = this.at(x, y), from = this.place;
    this.go({ ...from, zoom: from.zoom * times });
    const after = this.at(x, y);
    this.go({ ...this.place, x: this.place.x + before.x - after.x, y: this.place.y + before.y - after.y });
  }

  request(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => { this.queued = false; this.draw(); });
  }

  draw(): void {
    const { gl, canvas } = this, shown = this.shown;
    this.tune();
    this.area(0, 0, canvas.width, canvas.height, shown.x, shown.y, 1 / this.place.zoom, this.level);
    if (this.loupe) {
      const { x, y, radius, times } = this.loupe, middle = this.at(x, y), pace = 1 / (this.place.zoom * times);
      const level = Math.max(0, Math.min(3, Math.floor(Math.log2(pace) + 0.58)));
      gl.enable(gl.SCISSOR_TEST); gl.scissor(x - radius, canvas.height - y - radius, 2 * radius, 2 * radius);
      this.area(x - radius, canvas.height - y - radius, 2 * radius, 2 * radius, middle.x - radius * pace, middle.y - (radius * pace) / this.tallness, pace, level);
      gl.disable(gl.SCISSOR_TEST);
    }
    this.onDraw();
  }

  /** The look and the picture's own numbers, to the shader. */
  private tune(): void {
    const { gl, look, frame } = this;
    gl.uniform4iv(this.uniform("places"), this.places.flat());
    gl.uniform1i(this.uniform("energy"), look.energy); gl.uniform1i(this.uniform("mode"), look.mode);
    gl.uniform1i(this.uniform("logs"), Number(look.logs)); gl.uniform1i(this.uniform("local"), Number(look.local)); gl.uniform1i(this.uniform("raw"), Number(look.raw));
    gl.uniform1i(this.uniform("table"), Number(this.table !== null));
    gl.uniform2f(this.uniform("span"), look.raw ? 0.5 : look.level, look.raw ? 1 : look.width); gl.uniform1f(this.uniform("edge"), look.edge);
    gl.uniform4fv(this.uniform("noise"), this.noise.flatMap(([a, b]) => [a / UNITS / 2, Math.sqrt(b), b, 1 / a]));
    gl.uniform4f(this.uniform("axes"), this.table?.most ?? 1, this.table?.first ?? 0, this.table?.last ?? 1, frame.air);
  }

  /** The whole picture, small, drawn beside the canvas so that nothing flickers on it. */
  thumbnail(width: number, height: number): ImageData {
    const { gl } = this, paper = gl.createRenderbuffer(), frame = gl.createFramebuffer(), made = new ImageData(width, height), rows = new Uint8Array(width * height * 4);
    gl.bindRenderbuffer(gl.RENDERBUFFER, paper); gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame); gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, paper);
    this.tune();
    this.area(0, 0, width, height, 0, 0, this.frame.rows / width, this.frame.levels - 1);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rows);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null); gl.deleteFramebuffer(frame); gl.deleteRenderbuffer(paper);
    // The GPU counts rows from below.
    for (let y = 0; y < height; y++) made.data.set(rows.subarray((height - 1 - y) * width * 4, (height - y) * width * 4), y * width * 4);
    return made;
  }

  private area(x: number, y: number, width: number, height: number, left: number, top: number, pace: number, level: number): void {
    const { gl } = this;
    gl.viewport(x, y, width, height);
    gl.uniform2f(this.uniform("corner"), x, y); gl.uniform1f(this.uniform("tall"), height);
    gl.uniform2f(this.uniform("origin"), left, top); gl.uniform2f(this.uniform("pace"), pace, pace / this.tallness);
    gl.uniform1i(this.uniform("level"), level);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** The pixel as the GPU holds it, of the finest level that is here: values on the archive's scale, null where there is none. */
  pixelAt(x: number, y: number): { level: number; he: number | null; le: number | null } | null {
    const { gl } = this;
    for (let level = 0; level < 4; level++) {
      const column = Math.floor(x / 2 ** level), row = Math.floor(y / 2 ** level), size = this.frame.tile;
      const here = this.here[(level * HERE_ROWS_A_LEVEL + Math.floor(row / size)) * HERE_COLUMNS + Math.floor(column / size)] ?? 0;
      if (!(here & 1)) continue;
      const [layer, first] = this.places[level]!, frame = gl.createFramebuffer(), read = new Uint32Array(4);
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, frame);
      gl.framebufferTextureLayer(gl.READ_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.picture, 0, layer + Math.floor(column / BLOCK));
      gl.readPixels(column % BLOCK, row + first, 1, 1, gl.RGBA_INTEGER, gl.UNSIGNED_INT, read);
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, null); gl.deleteFramebuffer(frame);
      const value = (energy: Energy): number | null => {
        const [a, b] = this.noise[energy]!, code = read[energy]!;
        return code === 0 ? null : (((code - 1) * a) / UNITS / 2 + Math.sqrt(b)) ** 2 / a - b / a;
      };
      return { level, he: value(HE), le: here & 2 ? value(LE) : null };
    }
    return null;
  }

  private uniform(name: string): WebGLUniformLocation | null {
    let found = this.uniforms.get(name);
    if (found === undefined) this.uniforms.set(name, (found = this.gl.getUniformLocation(this.program, name)));
    return found;
  }

  private texture(unit: number, target: GLenum): WebGLTexture {
    const { gl } = this, made = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit); gl.bindTexture(target, made);
    for (const what of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, what, gl.NEAREST);
    for (const what of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, what, gl.CLAMP_TO_EDGE);
    return made;
  }
}
