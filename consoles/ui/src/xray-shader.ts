/** What the GPU does to a picture: every control of the page is a uniform here, so none of them asks the server. */

export const VERTEX = `#version 300 es
void main(){ gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2. - 1., 0, 1); }`;

export const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp usampler2DArray; precision highp usampler2D; precision highp sampler2D;
// HE and LE of every level, in codes of 1/16 sigma plus one; 0 was not measured or is not here yet.
uniform usampler2DArray picture;
// A texel a tile: 1 HE is here, 2 LE is here. Rows of a level stand together.
uniform usampler2D here;
// Mean and spread of the codes around each pixel of the coarsest level.
uniform sampler2D around;
uniform sampler2D palette; uniform usampler2D kinds;
uniform ivec4 places[4];   // first layer, first row, columns, rows of each level
uniform vec2 origin, pace; // full-resolution pixel at the canvas' upper left corner, pixels a canvas pixel
uniform vec2 corner;       // of the drawing's area on the canvas, and its height
uniform float tall;
uniform int level, energy, mode; uniform bool logs, local, raw, table, peeling;
uniform vec2 span;         // level and width of the window, in the scale that is shown
uniform float edge;
uniform vec4 noise[2];     // a unit / 2, sqrt b, b, 1 / a
uniform vec4 axes;         // alpha most, first and last R, air
out vec4 color;

uvec2 texel(int l, ivec2 p){
  ivec4 at = places[l]; p = clamp(p, ivec2(0), at.zw - 1);
  return texelFetch(picture, ivec3(p.x & 2047, p.y + at.y, at.x + (p.x >> 11)), 0).rg;
}
int finest(vec2 q, uint bits, int from){
  for (int l = from; l < 4; l++) {
    ivec2 t = (ivec2(q) >> l) >> 9;
    if ((texelFetch(here, ivec2(t.x, t.y + l * 8), 0).r & bits) == bits) return l;
  }
  return -1;
}
// Between four pixels, those that were not measured left out; 0 when most of the weight was not.
vec2 codes(int l, vec2 q){
  vec2 p = q / float(1 << l) - .5; ivec2 i = ivec2(floor(p)); vec2 f = raw ? step(.5, fract(p)) : fract(p);
  vec2 sum = vec2(0), weight = vec2(0);
  for (int n = 0; n < 4; n++) {
    ivec2 d = ivec2(n & 1, n >> 1);
    vec2 c = vec2(texel(l, i + d)), w = vec2((d.x == 1 ? f.x : 1. - f.x) * (d.y == 1 ? f.y : 1. - f.y)) * step(.5, c);
    sum += c * w; weight += w;
  }
  return step(.5, weight) * sum / max(weight, 1e-6);
}
float value(float code, vec4 n){ float r = (code - 1.) * n.x + n.y; return max((r * r - n.z) * n.w, 1.); }
float depth(float x){ return log(axes.w / x); }
float grey(float x){ return logs && !raw ? .5 - (depth(x) - span.x) / span.y : (x / axes.w - span.x) / span.y + .5; }
vec2 surround(vec2 q){
  vec2 p = q / 8. - .5; ivec2 i = ivec2(floor(p)), most = textureSize(around, 0) - 1; vec2 f = fract(p), sum = vec2(0);
  for (int n = 0; n < 4; n++) {
    ivec2 d = ivec2(n & 1, n >> 1);
    sum += texelFetch(around, clamp(i + d, ivec2(0), most), 0).rg * (d.x == 1 ? f.x : 1. - f.x) * (d.y == 1 ? f.y : 1. - f.y);
  }
  return sum;
}

void main(){
  vec2 at = vec2(gl_FragCoord.x - corner.x, tall - (gl_FragCoord.y - corner.y)), q = origin + at * pace;
  if (any(lessThan(q, vec2(0))) || any(greaterThanEqual(q, vec2(places[0].zw)))) { color = vec4(.047, .055, .063, 1); return; }
  int l = finest(q, energy == 0 ? 1u : 2u, level);
  if (l < 0) { color = vec4(vec3(.1 + .03 * step(.5, fract((at.x + at.y) / 24.))), 1); return; }
  float u = codes(l, q)[energy];
  if (u == 0.) { color = vec4(mod(floor((at.x + at.y) / 4.), 2.) > 0. ? vec3(.30, .22, .22) : vec3(.12, .08, .08), 1); return; }
  vec4 n = noise[energy];
  if (edge > 0. && !raw) {
    float sum = 0., count = 0.;
    for (int k = 0; k < 9; k++) if (k != 4) {
      float c = float(texel(l, ivec2(q) / (1 << l) + ivec2(k % 3 - 1, k / 3 - 1))[energy]);
      if (c > 0.) { sum += c; count += 1.; }
    }
    if (count > 0.) u = max(u + edge * (u - sum / count), 1.);
  }
  float g = grey(value(u, n));
  if (local && !raw) {
    vec2 s = surround(q);
    g = mix(.5, clamp(grey(value(s.x, n)), 0., 1.), .45) + .16 * (u - s.x) / max(s.y, 24.);
  }
  g = clamp(g, 0., 1.);
  if (mode == 1 && !raw) g = 1. - g;
  vec3 shown = vec3(g);
  if (mode >= 2 && table && !raw) {
    // The ratio is a small difference of large numbers: it is taken over sixteen pixels at least.
    int m = finest(q, 3u, max(l, 2));
    vec2 pair = m < 0 ? vec2(0) : codes(m, q);
    int kind = 0; float trust = 0.; vec3 hue = vec3(1);
    if (pair.x > 0. && pair.y > 0.) {
      float a = depth(value(pair.x, noise[0])), r = depth(value(pair.y, noise[1])) / max(a, 1e-3);
      vec2 cell = vec2(a / axes.x, (r - axes.y) / (axes.z - axes.y));
      if (all(greaterThanEqual(cell, vec2(0))) && all(lessThan(cell, vec2(1)))) {
        vec4 known = texture(palette, cell); hue = known.rgb; trust = known.a;
        kind = int(texelFetch(kinds, ivec2(cell * vec2(textureSize(kinds, 0))), 0).r);
      }
    }
    vec3 painted = mix(hue * hue * g * 1.1, mix(hue, vec3(1), .12) * (.15 + g), smoothstep(0., .8, g));
    shown = mix(vec3(g), painted, trust * (1. - smoothstep(.93, 1., g)));
    bool kept = mode == 2 || (mode == 3 ? kind == 1 : kind >= 3);
    if (!kept) shown = vec3(.07 + .13 * g);
  }
  color = vec4(min(shown, vec3(1)) * .92, 1);
}`;
