/** Reads tiles as vision/xray/tiles.py writes them: deflate is the browser's own, the rest is these lines. */

const HEADER_BYTES = 32, MAGIC = 0x31544751; // "QGT1", little endian
export const HE = 0, LE = 1;
export type Energy = typeof HE | typeof LE;

export type Tile = {
  energy: Energy; level: number; base: boolean;
  /** Pixels of the level. */
  x: number; y: number; width: number; height: number;
  /** Sigma of a full-resolution pixel in a code; the variance of a full-resolution pixel is a x + b. */
  step: number; a: number; b: number;
  /** Row by row; 0 was not measured. */
  codes: Uint16Array<ArrayBuffer>;
};

/** Rejects with an Error for anything that is no tile. */
export async function readTile(bytes: ArrayBuffer): Promise<Tile> {
  const head = new DataView(bytes);
  if (bytes.byteLength < HEADER_BYTES || head.getUint32(0, true) !== MAGIC) throw new Error("this is no tile");
  const planes = head.getUint8(6), width = head.getUint16(16, true), height = head.getUint16(18, true);
  const inflated = new Blob([bytes.slice(HEADER_BYTES)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const body = new Uint8Array(await new Response(inflated).arrayBuffer());
  if (body.length !== width * height * planes) throw new Error(`a tile of ${width} x ${height} with ${body.length} bytes`);
  return {
    energy: head.getUint8(4) === LE ? LE : HE, level: head.getUint8(5), base: head.getUint8(7) === 1,
    x: head.getUint32(8, true), y: head.getUint32(12, true), width, height,
    step: head.getFloat32(20, true), a: head.getFloat32(24, true), b: head.getFloat32(28, true),
    codes: unpredicted(body, width, height, planes),
  };
}

/** Undoes the folding, the byte planes and the median edge prediction. */
function unpredicted(body: Uint8Array, width: number, height: number, planes: number): Uint16Array<ArrayBuffer> {
  const size = width * height, codes = new Uint16Array(size);
  for (let y = 0, at = 0; y < height; y++) {
    let left = 0, corner = 0;
    for (let x = 0; x < width; x++, at++) {
      const folded = planes === 2 ? body[at]! | (body[size + at]! << 8) : body[at]!;
      const up = y ? codes[at - width]! : left;
      if (x === 0) { left = y ? up : 0; corner = left; } else if (y === 0) corner = left;
      const low = left < up ? left : up, high = left < up ? up : left;
      const sum = left + up - corner, guess = sum < low ? low : sum > high ? high : sum;
      const code = guess + ((folded >> 1) ^ -(folded & 1));
      codes[at] = code;
      left = code; corner = up;
    }
  }
  return codes;
}
