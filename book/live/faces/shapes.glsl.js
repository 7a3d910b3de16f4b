/**
 * The shapes of a face as GLSL, line for line those of `companion.data.faces.grid`, `geometry` and `hair`: fields that
 * are negative inside. All functions speak of one pixel, whose place the globals hold.
 */

/** What everything is made of. Before it stand the parameters' names (`defines` in renderer.js). */
export const GRID = /* glsl */ `
uniform int uSize;
uniform ivec4 uFaceBox;  // windows of the picture: first column and line, last column and line
uniform ivec4 uEyesBox;
uniform ivec4 uMouthBox;
uniform ivec4 uGlassesBox;

ivec2 at;    // column and line of the pixel, from the upper left
vec2 uv;     // in the picture, from -1 to 1
vec2 g;      // in head units, the head's tilt undone
float px;    // a pixel's side in head units

void place(ivec2 pixel) {
  at = pixel;
  uv = (vec2(pixel) + 0.5) * (2.0 / float(uSize)) - 1.0;
  vec2 away = (uv - vec2(p_shift_x, p_shift_y)) / p_scale;
  float c = cos(p_roll), s = sin(p_roll);
  g = vec2(c * away.x + s * away.y, c * away.y - s * away.x);
  px = 2.0 / (float(uSize) * p_scale);
}

bool within(ivec4 box) {
  return all(greaterThanEqual(at, box.xy)) && all(lessThanEqual(at, box.zw));
}

float square(float x) { return x * x; }
float ramp(float start, float end, float value) {  // the package calls it step, which GLSL has another of
  float t = clamp((value - start) / (end - start), 0.0, 1.0);
  return t * t * (3.0 - 2.0 * t);
}
float bump(float value, float width) {
  float s = value / width;
  s = max(1.0 - 0.25 * s * s, 0.0);
  return s * s * s * s;
}
float wave(float phase, float perPixel) { return sin(phase) * clamp((2.4 - perPixel) / 1.4, 0.0, 1.0); }
float cover(float pixels, float soft) { return clamp(0.5 - pixels / soft, 0.0, 1.0); }
float cover(float pixels) { return cover(pixels, 1.15); }
float sharpTanh(float x) { return tanh(clamp(x, -15.0, 15.0)); }  // some drivers overflow
`;

export const GEOMETRY = /* glsl */ `
struct Head { float inside; float depth; float x; float y; float side; float sgn; };
struct Eyes { float u; float v; float upper; float lower; float opening; float iris; float irisX; float irisY; };
struct Nose { float x; float side; float relief; float nostril; float wing; float tip; };
struct Mouth { float along; float top; float first; float second; float bottom; float upper; float lower; float gap; };
struct Body { float x; float y; float neck; float garment; float hem; float collar; };

float chinY() { return p_chin_length * (1.0 + 0.05 * p_mouth_open); }
float mouthY() { return p_mouth_height * p_chin_length; }

Head headAt() {
  float lower = max(g.y, 0.0) / chinY(), upper = min(g.y, 0.0);
  float width = p_head_width
    * (1.0 + (p_jaw_width - 1.0) * ramp(0.0, 0.78, g.y) + 0.045 * p_cheek * bump(g.y - 0.27, 0.24));
  float turn = sin(p_yaw);
  float shifted = g.x - 0.17 * turn * ramp(0.0, 1.0, g.y);
  float across = shifted / width;
  float inside = across * across + pow(lower + 1e-6, p_jaw_square) + pow(upper * upper + 1e-8, 1.2);
  float depth = DEPTH * sqrt(max(1.0 - inside, 0.0) + 0.004);
  float x = (shifted - depth * turn) / cos(p_yaw);
  float y = g.y + 0.8 * sin(p_pitch) * depth;
  float sgn = sharpTanh(x * 60.0);
  y -= 0.5 * p_asymmetry * sgn;
  return Head(inside, depth, x, y, abs(x), sgn);
}

vec2 lidsAt(float u, float widen) {
  float opened = p_eye_open * widen * (1.0 - p_lids), room = 1.0 - u * u;
  float arch = pow(max(room, 1e-4), 0.62), bowl = pow(max(room, 1e-4), 0.85);
  float smiling = 0.30 * clamp(p_smile, 0.0, 1.3);
  float upper = (room > 0.0 ? arch * (1.0 - 0.12 * u) : 0.6 * room) * -opened;
  float lower = (room > 0.0 ? bowl * (1.0 + 0.15 * u) : 0.6 * room) * (p_eye_open * 0.66 * (1.0 - smiling));
  return vec2(upper, lower);
}

Eyes eyesAt(Head on, float widen) {
  float across = on.side - p_eye_spacing, down = on.y - p_eye_height;
  float c = cos(p_eye_tilt), s = sin(p_eye_tilt);
  float u = (c * across - s * down) / p_eye_width, v = s * across + c * down;
  vec2 lid = lidsAt(u, widen);
  float irisX = across - 0.055 * p_gaze_x * on.sgn + 0.004, irisY = down - 0.04 * p_gaze_y + 0.010;
  float iris = sqrt(irisX * irisX + irisY * irisY + 1e-8);
  return Eyes(u, v, lid.x, lid.y, max(lid.x - v, v - lid.y), iris, irisX, irisY);
}

/** Field of both brows, and the coordinates along and across them. */
vec3 browsAt(Head on) {
  float along = (on.side - p_eye_spacing + 0.005) / p_brow_length;
  float inner = along - 0.25;
  float arch = p_brow_arch * (1.0 - inner * inner * (inner < 0.0 ? 0.5 : 1.25));
  float y = p_eye_height - p_brow_gap - 0.055 * p_brow_raise - arch - (p_brow_tilt + 0.028) * along * 0.8;
  float thick = p_brow_thickness * (1.0 - 0.62 * ramp(-0.1, 1.0, along)) * (0.72 + 0.28 * ramp(-1.0, -0.5, along));
  float lifted = on.y - y - 0.012 * p_brow_raise * on.sgn;
  return vec3(max(abs(lifted) - thick, (abs(along) - 1.0) * p_brow_length), along, lifted / thick);
}

Nose noseAt(Head on) {
  float len = p_nose_length, width = p_nose_width;
  float forward = 0.17 * p_nose_size * ramp(p_eye_height - 0.05, len, on.y) * ramp(len + 0.16, len + 0.03, on.y);
  float x = on.x - forward * tan(p_yaw), side = abs(x), down = on.y - len;
  float ridgeWidth = 0.055 + (0.42 * width - 0.03) * ramp(0.1, len, on.y);
  float under = ramp(0.065, 0.0, down - 0.35 * x * x / width);
  float ridge = 0.115 * p_nose_size * bump(x, ridgeWidth) * ramp(-0.2, len - 0.04, on.y) * under;
  float ball = bump(x, width * (0.42 + 0.22 * p_nose_tip)) * bump(down + 0.028, 0.060 + 0.020 * p_nose_tip);
  float wings = bump(side - 0.72 * width, 0.34 * width) * bump(down + 0.004, 0.048);
  float relief = ridge + 0.092 * p_nose_size * ball + 0.060 * wings;
  vec2 hole = vec2((side - 0.42 * width) / (0.25 * width), (down - 0.042 + 0.22 * (side - 0.42 * width)) / 0.022);
  vec2 wing = vec2((side - 0.70 * width) / (0.36 * width), (down + 0.004) / 0.062);
  vec2 tip = vec2(x / (0.62 * width), (down + 0.018) / (0.075 + 0.012 * p_nose_tip));
  return Nose(x, side, relief, dot(hole, hole), dot(wing, wing), dot(tip, tip));
}

/** The y of the four lines across the mouth. */
vec4 mouthLines(float along) {
  float squared = along * along, room = max(1.0 - squared, 0.0);
  float middle = mouthY() + 0.115 * (p_smile + 0.05) * (0.34 - squared);
  float bow = 1.0 - 0.32 * bump(along, 0.17) + 0.10 * bump(abs(along) - 0.28, 0.2);
  float gape = p_mouth_open * (0.125 + 0.03 * max(p_smile, 0.0));
  float smiling = clamp(p_smile, 0.0, 1.0);
  float top = middle - p_upper_lip * pow(room + 1e-5, 0.75) * bow * (1.0 - 0.18 * smiling) - 0.22 * gape * room;
  float first = middle - 0.22 * gape * room + 0.004 * bump(along, 0.15);
  float second = middle + 0.78 * gape * pow(room + 1e-5, 0.8) + 0.004 * bump(along, 0.15);
  float bottom = second + p_lower_lip * pow(room + 1e-5, 0.6) * (1.0 - 0.12 * smiling);
  return vec4(top, first, second, bottom);
}

float mouthWidth() { return p_mouth_width * (1.0 + 0.12 * clamp(p_smile, -0.6, 1.2) - 0.06 * p_mouth_open); }

Mouth mouthAt(Head on) {
  float wide = mouthWidth(), along = on.x / wide;
  vec4 line = mouthLines(along);
  float edge = (abs(along) - 1.0) * wide;
  float upper = max(max(line.x - on.y, on.y - line.y), edge);
  float lower = max(max(line.z - on.y, on.y - line.w), edge);
  float gap = max(max(line.y - on.y, on.y - line.z), edge);
  return Mouth(along, line.x, line.y, line.z, line.w, upper, lower, gap);
}

/** Below 1 inside an ear; and which of them, -1 or 1. */
vec2 earsAt() {
  float which = sharpTanh(g.x * 30.0);
  float width = 0.105 * clamp(1.0 - 1.3 * sin(p_yaw) * which, 0.3, 1.5);
  float x = (abs(g.x) - p_head_width * 0.965 - p_ear_out) / width;
  float y = (g.y - 0.15 - 0.1 * p_pitch) / p_ear_size;
  float leaning = y + 0.25 * x;
  return vec2(x * x + leaning * leaning, which);
}

float edgeOf(vec2 p, vec2 from, vec2 to) {
  vec2 d = to - from;
  return ((p.x - from.x) * d.y - (p.y - from.y) * d.x) * inversesqrt(dot(d, d));
}

Body bodyAt() {
  vec2 b = (uv - vec2(p_shift_x, p_shift_y)) / p_scale - vec2(0.09 * p_yaw, 0.0);
  float side = abs(b.x), width = p_neck_width;
  float flare = 0.30 * ramp(0.95, 1.45, b.y);
  float neck = max(side - width - flare * flare * 1.6, 0.35 - b.y);
  float beyond = max(side - width - 0.03, 0.0);
  float slope = 1.17 + 0.44 * pow(beyond, 1.25);
  float deep = 0.055 * (1.0 - p_neckline) * (1.0 - p_collar) + p_neckline * 0.42 + 0.30 * p_collar;
  float inner = clamp(1.0 - side / (width + 0.03), 0.0, 1.0);
  float dip = deep * (p_neckline + p_collar > 0.5 ? inner : 1.0 - square(1.0 - inner));
  float raised = 0.24 * p_roll_neck * ramp(width + 0.10, width + 0.02, side);
  float hem = b.y - (slope + dip - raised);
  vec2 c0 = vec2(0.035, 1.44), c1 = vec2(width + 0.01, 1.02), c2 = vec2(width + 0.17, 1.22), c3 = vec2(0.30, 1.60);
  vec2 q = vec2(side, b.y);
  float collar = max(max(edgeOf(q, c0, c1), edgeOf(q, c1, c2)), max(edgeOf(q, c2, c3), edgeOf(q, c3, c0)));
  return Body(b.x, b.y, neck, -hem, hem, collar);
}

/** Fields of the spectacles' lenses, and of bridge and temples, which end behind the head. */
vec2 lensesAt(Head on) {
  float power = 2.1 + 2.6 * p_glasses_square;
  float across = (on.side - p_eye_spacing - 0.005) / 0.215;
  float down = (on.y - p_eye_height - 0.025) / (0.165 - 0.03 * p_glasses_square);
  float lens = pow(pow(abs(across) + 1e-4, power) + pow(abs(down) + 1e-4, power), 1.0 / power) - 1.0;
  float bridgeY = on.y - p_eye_height + 0.02 + 0.4 * on.side * on.side;
  float bridge = max(abs(bridgeY) - 0.012, on.side - p_eye_spacing + 0.205);
  float temple = max(abs(on.y - p_eye_height + 0.03) - 0.013, p_eye_spacing + 0.21 - on.side);
  return vec2(lens * 0.17, max(min(bridge, temple), (on.inside - 1.03) * 0.4));
}

float frecklesAt(Head on) {
  float across = on.x * 10.5, down = on.y * 10.5, column = roundEven(across), row = roundEven(down);
  float jitter = sin(column * 12.9 + row * 78.2 + 9.0 * p_hair_phase);
  float x = across - column - 0.28 * jitter, y = down - row - 0.28 * sin(column * 39.3 + row * 11.1);
  float spots = ramp(0.34, 0.20, sqrt(x * x + y * y) + 0.08 * jitter) * ramp(-0.75, -0.55, jitter);
  return spots * p_freckles * bump(on.y - 0.27, 0.16) * ramp(0.72, 0.4, on.side);
}
`;

export const HAIR = /* glsl */ `
struct Hair { float back; float front; float knot; };
struct Headwear { float beanie; float band; float crown; float brim; float scarf; float turban; };

float hairCurl() { return p_hair_curl * (1.0 - p_hair_rope); }
float headCovered() { return max(max(p_beanie, p_sun_hat), max(p_turban, p_headscarf)); }
float shortHair() { return ramp(0.15, -0.1, p_hair_length); }

/** Constant along a strand. */
float flowAt() {
  float fan = 0.55 + 0.55 * clamp(g.y + 1.15, 0.0, 1.2);
  float waving = (0.015 + 0.07 * p_hair_wave) * wave(g.y * 7.5 + p_hair_phase * 9.0 + g.x * 1.5, 7.5 * px);
  return (g.x - 0.6 * p_hair_part) / fan + waving + 0.10 * p_hair_part * g.y;
}

/** -1 in the furrows between strands, 1 on the ridges. */
float strandAt(float flow) {
  float phase = p_hair_phase * 9.0, x = g.x, y = g.y;
  float combed = 0.55 * wave(flow * 27.0 + phase + 1.3 * sin(flow * 11.0), 34.0 * px);
  combed += 0.33 * wave(flow * 71.0 + 2.0 * phase + 2.0 * y, 76.0 * px);
  combed += 0.24 * wave(flow * 139.0 - phase - 3.0 * y, 140.0 * px);
  float wx = x + 0.06 * sin(y * 8.0 + phase) + 0.03 * sin(y * 17.0 + x * 5.0);
  float wy = y + 0.06 * sin(x * 9.0 - phase) + 0.03 * sin(x * 16.0 - y * 6.0);
  float coiled = 0.85 * wave(wx * 25.0 + 2.2 * sin(wy * 11.0), 36.0 * px) * sin(wy * 23.0 + 2.2 * sin(wx * 12.0));
  coiled += 0.55 * wave(wx * 53.0 + 2.0 * sin(wy * 29.0), 66.0 * px) * sin(wy * 49.0);
  float strand = mix(combed, coiled, hairCurl());
  float rope = flow * 8.5 + 0.3 * phase, off = abs(rope - roundEven(rope));
  float rounded = 1.0 - 2.0 * pow(off * 2.0, 2.2);
  float stitch = wave(y * 62.0 + off * 7.0, 62.0 * px) * p_hair_plait;
  stitch += wave(y * 33.0 + roundEven(rope) * 5.0 + wx * 9.0, 33.0 * px) * 0.5 * (1.0 - p_hair_plait);
  return mix(strand, 0.75 * rounded + 0.35 * stitch, p_hair_rope);
}

/** Zero at the edge of the opening for the face, growing into the hair. */
float hairlineAt(Head on, float strand) {
  float halfX = 0.5 * on.x + 0.5 * (g.x - 0.25 * sin(p_yaw));
  float receding = ramp(0.0, 0.5, p_hair_thin) * (1.0 - ramp(0.55, 1.0, p_hair_thin));
  float corner = bump(abs(halfX) - 0.42, 0.20);
  float line = p_hairline + p_hair_sweep * (on.x - p_hair_part) + p_hair_fringe * (0.22 + 0.03 * strand)
    - receding * (0.17 * corner + 0.06) - 0.05 * corner * (1.0 - p_hair_fringe) * p_age
    + 0.010 * sin(on.x * 31.0 + p_hair_phase * 9.0);
  line -= 0.05 * (1.0 - p_hair_fringe) * (1.0 - hairCurl()) * bump(on.x - p_hair_part, 0.07);
  float height = max(0.22 - line, 0.25);
  float narrow = p_head_width * (0.925 - 0.13 * p_hair_cover);
  float up = max(0.22 - on.y, 0.0) / height, wide = abs(halfX) / narrow;
  float opening = pow(pow(wide + 1e-4, 3.0) + pow(up + 1e-4, 2.8), 1.0 / 3.0);
  return (opening - 1.0) * 0.55;
}

/** 1, or less where the sides are cut close. */
float densityAt() {
  float close = p_hair_fade * ramp(-0.75, -0.2, g.y), shaven = 1.0 - ramp(0.0, 0.3, p_beard);
  float whiskers = shortHair() * shaven * (1.0 - p_hair_cover) * ramp(-0.34, -0.04, g.y);
  return (1.0 - 0.75 * close) * (1.0 - 0.85 * whiskers);
}

Hair hairAt(Head on, float strand) {
  float phase = p_hair_phase * 9.0, turn = sin(p_yaw), x = g.x + 0.08 * turn, y = g.y;
  float covered = headCovered(), top = p_hair_top * (1.0 - 0.75 * covered), cropped = shortHair();
  float side = p_hair_side * (1.0 - 0.6 * covered) * (1.0 - cropped * ramp(-0.55, -0.02, y));
  float curl = hairCurl();
  float ragged = 0.018 * curl * (sin(g.x * 21.0 + phase) + sin(g.y * 23.0 - phase) + 0.4 * strand);
  ragged += 0.022 * p_hair_wave * sin(y * 8.0 + phase + 2.0 * sharpTanh(x * 9.0)) + 0.012 * strand;

  float eggX = x / (p_head_width + side + 0.015), eggY = min(y, 0.0) / (1.0 + top);
  float above = sqrt(eggX * eggX + pow(eggY * eggY + 1e-7, 1.2));
  float fall = p_head_width + side + 0.015 + p_hair_flare * ramp(0.0, 1.5, y)
    - (0.10 - p_hair_flare * 0.4) * ramp(0.15, 0.9, y) * (1.0 - curl);
  float outside = (y < 0.0 ? (above - 1.0) * 0.85 : abs(x) - fall) - ragged;
  float far = square(x / fall);
  float ends = p_hair_length
    - far * mix(0.22 * far * (1.0 - 0.6 * p_hair_front), 0.15 + 0.55 * far, curl) * (1.0 - cropped);
  ends += 0.035 * strand * (0.3 + p_hair_rope);
  float bald = ramp(0.55, 1.0, p_hair_thin), gone = 3.0 * max(bald, p_headscarf);
  float back = max(outside, (y - ends) * 0.8) + gone;

  float edge = hairlineAt(on, strand);
  float whisker = -0.02 + 0.95 * p_hair_cover - 0.30 * p_hair_fade * (1.0 - p_hair_cover);
  float low = p_hair_cover > 0.45 ? ends
    : mix(whisker, max(p_hair_length, 0.0), clamp(p_hair_cover / 0.45, 0.0, 1.0));
  low -= far * (0.15 + 0.55 * far) * curl * (1.0 - cropped);
  float front = max(max(outside, -edge), (y - low) * 0.8) + gone;
  float knotX = (x - 0.10 * turn) / (0.30 + 0.10 * curl), knotY = (y + 1.07 + 0.06 * curl) / (0.27 + 0.05 * curl);
  float knot = (sqrt(knotX * knotX + knotY * knotY + 1e-6) - 1.0) * 0.28 - 0.6 * ragged;
  knot += 2.0 * (1.0 - p_hair_bun) + 2.0 * covered + gone;
  return Hair(back, front, knot);
}

/** Coverage of the beard's region without and with a moustache's: jaw, and upper lip. */
vec2 beardAt(Head on) {
  float wide = mouthWidth(), along = on.x / wide;
  vec4 line = mouthLines(along);
  float ragged = 0.014 * sin(on.x * 37.0 + p_hair_phase * 9.0) + 0.010 * sin(on.x * 71.0 + on.y * 19.0);
  float edge = 0.33 - 0.62 * ramp(0.36, 0.74, on.side) + 0.08 * bump(on.x, 0.2);
  float ringX = on.x / (wide * 1.12), ringY = (on.y - 0.5 * (mouthY() + line.w)) / 0.12;
  float jaw = ramp(edge + 0.17, edge + 0.30, on.y + ragged) * ramp(0.75, 1.15, ringX * ringX + ringY * ringY);
  float middle = line.x - 0.045 + 0.03 * along * along;
  float lip = bump((on.y - middle + 0.5 * ragged) / 0.046, 1.0) * ramp(1.30, 0.85, abs(along));
  return vec2(jaw, min(1.35 * lip, 1.0));
}

float beardOutline() {
  float len = max(p_beard - 0.45, 0.0);
  float narrow = 0.73 + 0.27 * ramp(0.50, 0.98, g.y);
  float across = (g.x - 0.17 * sin(p_yaw)) / (p_head_width * p_jaw_width * (0.92 + 0.22 * len) * narrow);
  float down = (g.y - 0.35) / (chinY() - 0.35 + 0.05 + 0.42 * len);
  float ragged = 0.02 * sin(g.x * 27.0 + p_hair_phase * 9.0) + 0.014 * sin(g.x * 58.0);
  float egg = sqrt(across * across + pow(down * down + 1e-6, 1.1) + 1e-6) - 1.0;
  return max(egg * 0.6 + ragged, 0.42 - g.y) + 2.0 * (1.0 - ramp(0.45, 0.55, p_beard));
}

/** An opening around the face, as a scarf leaves it. */
float scarfOpening(Head on) {
  float halfX = 0.7 * on.x + 0.3 * (g.x - 0.2 * sin(p_yaw));
  float wx = halfX / (p_head_width * 0.865), wy = (on.y - 0.17) / (on.y < 0.17 ? 0.76 : 0.80 * chinY());
  float opening = pow(pow(abs(wx) + 1e-4, 2.4) + pow(abs(wy) + 1e-4, 2.4), 1.0 / 2.4) - 1.0;
  return max(opening, sqrt(on.inside + 1e-4) - 0.965);
}

float foldsAt(Head on) {
  float x = g.x + 0.08 * sin(p_yaw);
  float slanted = (g.y + 0.45 + 0.75 * on.side) * 15.0;
  float around = scarfOpening(on) * 21.0 + 3.0 * x + 2.0 * g.y;
  return wave(mix(around, slanted, p_turban), 18.0 * px);
}

Headwear headwearAt(Head on) {
  float x = g.x + 0.08 * sin(p_yaw), y = g.y, curve = 0.11 * square(x / 0.8);
  float tall = min(y, 0.0) / 1.17, wide = x / (p_head_width + 0.085);
  float cap = (sqrt(wide * wide + tall * tall + 1e-6) - 1.0) * 0.9;
  float beanie = max(cap, y + 0.42 - curve);
  float band = max(abs(x) - p_head_width - 0.115, abs(y + 0.47 - curve) - 0.115);
  float crownX = x / (p_head_width + 0.03 - 0.10 * ramp(-0.5, -1.2, y)), crownY = square(square(min(y, 0.0) / 1.22));
  float crown = max((sqrt(crownX * crownX + crownY + 1e-6) - 1.0) * 0.8, y + 0.46 - curve);
  float rimX = x / (p_head_width + 0.46), rimY = (y + 0.47 - 0.8 * curve) / 0.135;
  float brim = (sqrt(rimX * rimX + rimY * rimY + 1e-6) - 1.0) * 0.2;
  float hoodX = x / (p_head_width + 0.155 + 0.25 * ramp(0.75, 1.5, y)), hoodY = min(y, 0.0) / 1.16;
  float hood = (y < 0.0 ? sqrt(hoodX * hoodX + hoodY * hoodY + 1e-6) - 1.0 : abs(hoodX) - 1.0) * 0.9;
  float scarf = max(max(hood, -scarfOpening(on) * 0.7), y - 1.36 + 0.35 * x * x);
  float domeX = x / (p_head_width + 0.20 - 0.06 * ramp(-0.7, -0.2, y)), domeY = min(y + 0.25, 0.0) / 1.06;
  float wound = (pow(pow(abs(domeX) + 1e-4, 2.6) + pow(abs(domeY) + 1e-4, 2.2), 0.42) - 1.0) * 0.9;
  float turban = max(wound, y + 0.40 - 0.30 * min(on.side, 0.9) - 0.08);
  return Headwear(
    beanie + (p_beanie < 0.02 ? 2.0 : 0.0), band + (p_beanie < 0.02 ? 2.0 : 0.0),
    crown + (p_sun_hat < 0.02 ? 2.0 : 0.0), brim + (p_sun_hat < 0.02 ? 2.0 : 0.0),
    scarf + (p_headscarf < 0.02 ? 2.0 : 0.0), turban + (p_turban < 0.02 ? 2.0 : 0.0));
}
`;

/**
 * The first pass: every field whose slope the second pass needs, so that it can turn fields into pixels by the same
 * central differences as the package's `grid.distance`. The last channel keeps the strands, which cost most.
 */
export const FIELDS = /* glsl */ `
layout(location = 0) out vec4 out0;
layout(location = 1) out vec4 out1;
layout(location = 2) out vec4 out2;
layout(location = 3) out vec4 out3;

float reliefAt(Head on, Nose parts) {
  float eyeX = on.side - p_eye_spacing, eyeY = on.y - p_eye_height, smiling = clamp(p_smile, 0.0, 1.2);
  float lines = p_age_lines;
  float socket = bump(eyeX / 1.2, 0.18) * bump(eyeY + 0.03, 0.105);
  float cheek = bump(on.side - 0.42, 0.20) * bump(on.y - 0.34 + 0.04 * smiling, 0.16);
  float fold = bump(on.side - p_nose_width - 0.07 - 0.50 * (on.y - p_nose_length), 0.040)
    * ramp(p_nose_length - 0.07, p_nose_length + 0.06, on.y) * ramp(mouthY() + 0.10, mouthY() - 0.02, on.y);
  float chin = bump(on.x, 0.20) * bump(on.y - 0.87 * chinY(), 0.11);
  float underLip = bump(on.x, 0.20) * bump(on.y - mouthY() - p_lower_lip - 0.055, 0.035);
  float brow = bump(eyeX / 1.4, 0.19) * bump(eyeY + p_brow_gap, 0.07);
  float lipBand = bump(on.x / 1.3, p_mouth_width * 0.7) * bump(on.y - mouthY() - 0.01, 0.085);
  float wrinkle = bump(on.y + 0.36, 0.11) * bump(on.x, 0.36) * wave(on.y * 58.0 + 3.0 * on.x * on.x, 58.0 * px);
  float relief = on.depth + parts.relief;
  relief += 0.030 * brow - 0.055 * socket + (0.040 + 0.045 * p_cheek + 0.035 * smiling) * cheek;
  relief += -(0.010 + 0.018 * smiling + 0.026 * lines) * fold + 0.050 * chin - 0.022 * underLip;
  return relief + 0.035 * lipBand + 0.007 * lines * wrinkle;
}

void main() {
  place(ivec2(gl_FragCoord.xy));
  Head on = headAt();
  float strand = strandAt(flowAt());
  Hair locks = hairAt(on, strand);
  Headwear wear = headwearAt(on);
  Body torso = bodyAt();
  out0 = vec4(locks.back, locks.knot, locks.front, sqrt(earsAt().x + 1e-6) - 1.0);
  out1 = vec4(wear.scarf, wear.turban, wear.beanie, wear.band);
  out2 = vec4(wear.crown, wear.brim, torso.neck, torso.garment);
  out3 = vec4(on.inside - 1.0, beardOutline(), reliefAt(on, noseAt(on)), strand);
}
`;

/** How the second pass reads the first: signed distances in pixels, one-sided at the edges of a window as in torch. */
export const DISTANCES = /* glsl */ `
uniform highp sampler2D uField0;
uniform highp sampler2D uField1;
uniform highp sampler2D uField2;
uniform highp sampler2D uField3;
uniform bool uUpsideDown;  // a canvas counts its lines from below

ivec2 pixelHere() {
  ivec2 here = ivec2(gl_FragCoord.xy);
  return uUpsideDown ? ivec2(here.x, uSize - 1 - here.y) : here;
}

/** Differences along x or y, per pixel. */
vec4 slope(sampler2D field, ivec2 along, ivec4 box) {
  ivec2 before = max(at - along, box.xy), after = min(at + along, box.zw);
  int steps = (after.x - before.x) + (after.y - before.y);
  vec4 rise = clamp(texelFetch(field, after, 0), -30.0, 30.0) - clamp(texelFetch(field, before, 0), -30.0, 30.0);
  return rise / float(max(steps, 1));
}

vec4 distances(sampler2D field, ivec4 box) {
  vec4 x = slope(field, ivec2(1, 0), box), y = slope(field, ivec2(0, 1), box);
  vec4 here = clamp(texelFetch(field, at, 0), -30.0, 30.0);
  return clamp(here * inversesqrt(x * x + y * y + 1e-10), -60.0, 60.0);
}
`;
