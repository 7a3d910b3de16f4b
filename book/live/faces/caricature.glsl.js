/** The pen drawing, line for line `companion.data.faces.caricature`: ink, flat colours and one hard shadow. */
export const CARICATURE = /* glsl */ `
uniform vec3 uInk;
uniform vec3 uPaper;
uniform vec3 uOther;     // the disc's tint
uniform vec3 uPrint;     // the print's middle tone
uniform float uBristle;  // how much of a beard its dark bristles are, on average
out vec4 colour;

vec3 ink;
float penWidth;  // half the line's, in pixels
float darkSide;  // -1 or 1: where shadows fall
float hatching;

vec3 vivid(vec3 c, float amount) { return clamp((c.r + c.g + c.b) / 3.0 + (c - (c.r + c.g + c.b) / 3.0) * amount, 0.0, 1.0); }
vec3 bytes(float r, float g, float b) { return vec3(r, g, b) / 255.0; }

vec3 skinPaint() {
  vec3 v = vivid(c_skin, 1.22);
  float bright = (v.r + v.g + v.b) / 3.0;
  return clamp(v * (0.80 * bright + 0.135) / max(bright, 0.05), 0.0, 1.0);
}
vec3 shadowPaint() { return vivid(skinPaint() * bytes(222.0, 182.0, 186.0), 1.1); }
vec3 hairPaint() { return 0.86 * vivid(c_hair, 1.25) + bytes(24.0, 21.0, 26.0); }

void takePen() {
  ink = uInk + 0.05 * c_skin;
  darkSide = clamp(-5.0 * p_light_x, -1.0, 1.0);
  float pressure = 1.0 + p_pen_swell * clamp(0.8 * g.x * darkSide + 0.5 * g.y, -0.8, 0.9);
  pressure += 0.14 * sin(g.x * 3.1 + g.y * 4.3 + 9.0 * p_ground_phase);
  penWidth = max(LINE * p_pen_width / px, 0.42) * pressure;
  float across = (g.x * darkSide + 0.8 * g.y + 0.012 * sin(g.x * 11.0 - g.y * 7.0)) / (1.28 * HATCH);
  float off = abs(across - roundEven(across)) * HATCH;
  float lines = cover((off - 0.75 * LINE * p_pen_width) / px);
  hatching = mix(0.3, lines, clamp((HATCH / px - 1.5) / 1.5, 0.0, 1.0));
}

float inkLine(float pixels, float weight) { return cover(abs(pixels) - penWidth * weight); }
float inkLine(float pixels) { return inkLine(pixels, 1.0); }
vec3 shaded(vec3 fill, vec3 shadow, float where) {
  vec3 toned = mix(fill, shadow, where * (1.0 - 0.75 * p_hatch));
  return mix(toned, ink, 0.8 * where * p_hatch * hatching);
}
vec3 shape(vec3 under, float pixels, vec3 fill, float weight) {
  return mix(mix(under, fill, cover(pixels)), ink, inkLine(pixels, weight));
}
vec3 shape(vec3 under, float pixels, vec3 fill) { return shape(under, pixels, fill, 1.0); }

vec3 paper() {
  float radius = sqrt(uv.x * uv.x + square(uv.y + 0.02));
  vec3 glow = mix(uPaper, vec3(1.0), 0.35 * ramp(1.1, 0.2, radius));
  return mix(glow, mix(uOther, vec3(1.0), 0.15), cover((radius - 0.86) * (float(uSize) / 2.0)) * p_disc);
}

vec3 hairFill(float strand) {
  vec3 paint = hairPaint();
  float smoothness = 1.0 - clamp(0.7 * hairCurl(), 0.0, 1.0);
  float shade = 1.0 - 0.16 * ramp(0.05, 0.30, g.x * darkSide + 0.10 * strand);
  float light = bump(g.y + 0.60 + 0.75 * p_hair_top + 0.22 * g.x * darkSide + 0.30 * g.x * g.x, 0.085);
  light = ramp(0.55, 0.66, light + 0.26 * strand) * (0.25 + 0.75 * smoothness);
  vec3 fill = mix(paint * shade, clamp(paint * 1.28 + 0.06, 0.0, 1.0), 0.8 * light);
  return mix(fill, paint * 0.60, ramp(-0.35, -0.75, strand) * (0.45 + 0.3 * p_hair_rope));
}

vec3 dressed(vec3 under) {
  if (at.y < uSize / 2) return under;
  Body torso = bodyAt();
  vec4 pixels = distances(uField2, ivec4(0, uSize / 2, uSize - 1, uSize - 1));
  float underChin = cover((torso.y - 1.04 - 0.10 * chinY() + 0.25 * torso.x * torso.x) / px);
  under = shape(under, pixels.z, shaded(skinPaint(), shadowPaint(), underChin));
  vec3 cloth = vivid(c_clothes, 1.2) * 0.86 + 0.09, trim = vivid(c_trim, 1.2) * 0.86 + 0.09;
  vec3 fill = mix(cloth, trim, p_stripes * cover(sin(torso.hem * 26.0) / (26.0 * px)));
  fill = shaded(fill, 0.83 * fill, ramp(0.30, 0.34, torso.x * darkSide + 0.06 * sin(torso.y * 9.0)));
  float rib = cover((abs(torso.hem - 0.035) - 0.035) / px) * (1.0 - p_collar);
  fill = mix(fill, mix(trim, cloth * 0.8, p_roll_neck), 0.8 * rib);
  under = shape(under, pixels.w, fill);
  float collar = torso.collar / px;
  under = mix(under, 0.45 * trim + 0.53, cover(collar) * p_collar);
  return mix(under, ink, inkLine(collar, 0.8) * p_collar);
}

vec3 withEars(vec3 under, float pixels) {
  float shell = ramp(0.42, 0.30, earsAt().x + 0.25 * bump(g.y - 0.25, 0.1));
  under = shape(under, pixels, mix(skinPaint(), shadowPaint(), shell));
  float dropX = abs(g.x) - p_head_width * 0.985 - p_ear_out;
  float drop = (sqrt(dropX * dropX + square(g.y - 0.18 - p_ear_size)) - 0.055) / px;
  float there = p_earrings * (1.0 - p_headscarf) * ramp(0.55, 0.45, p_hair_cover);
  under = mix(under, bytes(248.0, 200.0, 70.0), cover(drop) * there);
  return mix(under, ink, inkLine(drop, 0.7) * there);
}

vec3 linesOfAge(vec3 under, Head on, float inside) {
  float out_ = on.side - p_nose_width - 0.075 - 0.45 * (on.y - p_nose_length);
  float reach = ramp(p_nose_length - 0.06, p_nose_length + 0.03, on.y) * ramp(mouthY() + 0.02, mouthY() - 0.06, on.y);
  float fold = inkLine(out_ / px, 0.5) * reach * clamp(1.1 * p_age_lines + 0.7 * (p_smile - 0.7), 0.0, 0.85);
  float brow = cover((abs(sin(on.y * 34.0 + 2.0 * on.x * on.x)) - 0.16) / (34.0 * px)) * ramp(0.34, 0.22, on.side);
  brow *= ramp(-0.50, -0.46, on.y) * ramp(-0.28, -0.32, on.y) * p_age_lines;
  under = mix(under, ink, fold * inside);
  return mix(under, shadowPaint() * 0.8, 0.8 * brow * inside);
}

vec3 withFace(vec3 under, Head on, float edge) {
  if (!within(uFaceBox)) return under;
  vec3 shadow = shadowPaint(), skin = skinPaint(), fill = skin;
  float across = on.x * darkSide;
  float side = ramp(0.50, 0.53, across / p_head_width * 0.66 + 0.10 * on.y + 0.05 * sin(on.y * 6.0));
  fill = shaded(fill, shadow, 0.85 * side);
  vec3 blush = vivid(skin * bytes(255.0, 176.0, 168.0), 1.25);
  fill = mix(fill, blush, bump(on.side - 0.43, 0.13) * bump(on.y - 0.36, 0.085) * (0.35 + 0.45 * p_blush));
  float bare = ramp(0.55, 1.0, p_hair_thin);
  fill = mix(fill, shadow, ramp(-0.085, -0.065, edge) * (1.0 - bare) * ramp(0.12, 0.0, g.y) * 0.85);
  fill = mix(fill, shadow * 0.8, 0.8 * frecklesAt(on));
  float mole = sqrt(square(on.x - p_mole_x) + square(on.y - p_mole_y)) - 0.018;
  fill = mix(fill, ink, 0.85 * p_mole * cover(mole / px));
  vec2 whiskers = beardAt(on);
  vec3 plain = hairPaint();
  float bristle = ramp(0.35, 0.6, wave(on.x * 44.0 + 3.0 * sin(on.y * 9.0) + 9.0 * p_hair_phase, 48.0 * px));
  vec3 paint = mix(plain, plain * 0.66, 0.6 * bristle);
  float stubble = p_stubble * (1.0 - ramp(0.0, 0.2, p_beard)) * ramp(0.25, 0.40, max(whiskers.x, 0.8 * whiskers.y));
  fill = mix(fill, mix(shadow, mix(plain, plain * 0.66, 0.6 * uBristle), 0.22), 0.55 * stubble);
  float bearded = ramp(0.42, 0.55, whiskers.x) * ramp(0.0, 0.3, p_beard);
  fill = mix(fill, paint, bearded);
  vec4 pixels = distances(uField3, uFaceBox);
  under = shape(under, pixels.y, paint);
  under = shape(under, pixels.x, fill, 1.1);
  under = mix(under, paint, cover(pixels.y) * ramp(0.45, 0.55, p_beard) * bearded * ramp(0.80, 0.95, g.y));
  float inside = cover(pixels.x);
  under = mix(under, paint * 0.92, ramp(0.45, 0.6, whiskers.y) * p_moustache * inside);
  return linesOfAge(under, on, inside);
}

vec3 withEyes(vec3 under, Head on) {
  if (!within(uEyesBox)) return under;
  Eyes eye = eyesAt(on, WIDER_EYES);
  float inside = cover((sqrt(max(on.inside, 1e-4)) - 1.0) * 0.7 / px);
  float foldY = eye.upper - 0.040 - 0.015 * p_lid_crease;
  vec3 painted = mix(shadowPaint(), vivid(c_frame, 1.3), 0.35 * p_makeup);
  float lid = cover((foldY - eye.v) / px) * cover((eye.v - eye.upper) / px) * ramp(1.08, 1.0, abs(eye.u));
  under = mix(under, painted, (0.35 + 0.6 * p_makeup) * lid * inside);
  float crease = inkLine((eye.v - foldY) / px, 0.45) * ramp(0.95, 0.75, abs(eye.u)) * (0.15 + 0.75 * p_lid_crease);
  under = mix(under, shadowPaint() * 0.62, crease * inside);
  vec3 ball = mix(bytes(255.0, 253.0, 248.0), bytes(206.0, 212.0, 228.0), 0.9 * cover((eye.v - eye.upper - 0.035) / px));
  float radius = p_iris_size * 1.12;
  ball = mix(ball, ink, cover((eye.iris - radius) / px));
  vec3 iris = (vivid(c_iris, 1.5) * 1.12 + 0.03) * (0.82 + 0.5 * ramp(-0.04, 0.07, eye.irisY));
  ball = mix(ball, clamp(iris, 0.0, 1.0), cover((eye.iris - radius + 0.017) / px));
  ball = mix(ball, bytes(18.0, 11.0, 14.0), cover((eye.iris - 0.52 * radius) / px));
  float spark = sqrt(square(eye.irisX * on.sgn + 0.032 * darkSide) + square(eye.irisY + 0.034)) - 0.027;
  ball = mix(ball, vec3(1.0), cover(spark / px));
  under = mix(under, ball, cover(eye.opening / px) * inside);
  under = mix(under, ink, 0.75 * inkLine((eye.v - eye.lower) / px, 0.42) * ramp(1.0, 0.88, abs(eye.u)) * inside);
  float lash = 0.95 + 0.45 * ramp(-0.6, 0.9, eye.u) + 0.5 * p_makeup;
  under = mix(under, ink, inkLine((eye.v - eye.upper + 0.008) / px, lash) * ramp(1.14, 1.02, abs(eye.u)) * inside);
  return mix(under, 0.62 * hairPaint() + 0.30 * ink, cover((browsAt(on).x - 0.006) / px) * inside);
}

vec3 withNose(vec3 under, Head on) {
  Nose parts = noseAt(on);
  float down = on.y - p_nose_length;
  float ridge = parts.x * darkSide - 0.02 - (0.50 * p_nose_width - 0.02) * ramp(0.1, p_nose_length, on.y);
  float flank = cover(-ridge / px) * cover((ridge - 0.055) / px) * ramp(0.08, 0.28, on.y) * ramp(0.05, 0.0, down);
  under = mix(under, shadowPaint(), 0.75 * flank);
  float tip = (sqrt(parts.tip + 1e-6) - 1.0) * 0.07;
  float ball = inkLine(tip / px, 0.85) * ramp(-0.012, 0.03, down);
  float wing = (sqrt(parts.wing + 1e-6) - 1.0) * 0.055;
  float outer = inkLine(wing / px, 0.75) * ramp(0.70 * p_nose_width, 0.84 * p_nose_width, parts.side) * ramp(-0.06, -0.03, down);
  under = mix(under, ink, 0.92 * max(ball, outer));
  float gleam = sqrt(square(parts.x + 0.035 * darkSide) + square(down + 0.04)) - 0.022;
  return mix(under, 0.5 * skinPaint() + 0.5, 0.6 * cover(gleam / px));
}

vec3 withMouth(vec3 under, Head on) {
  if (!within(uMouthBox)) return under;
  under = withNose(under, on);
  Mouth lips = mouthAt(on);
  vec3 red = vivid(c_lips, 1.35) * bytes(250.0, 214.0, 214.0);
  red = mix(red, bytes(196.0, 44.0, 62.0), 0.6 * p_makeup);
  under = mix(under, red * 0.93, cover(lips.upper / px) * (0.62 + 0.38 * p_makeup));
  under = mix(under, red, cover(lips.lower / px) * (0.62 + 0.38 * p_makeup));
  float middle = 0.5 * (lips.second + lips.bottom);
  float shine = cover((abs(on.y - middle + 0.006) - 0.008) / px) * bump(lips.along, 0.30);
  under = mix(under, clamp(red * 1.2 + 0.16, 0.0, 1.0), 0.8 * shine);
  float opened = ramp(0.02, 0.10, p_mouth_open), height = lips.second - lips.first, off = abs(lips.along);
  float tooth = cover((on.y - lips.first - 0.50 * height - 0.012) / px);
  float tongue = cover((lips.second - 0.30 * height - on.y) / px) * ramp(0.75, 0.6, off);
  vec3 inside = mix(bytes(116.0, 26.0, 38.0), bytes(226.0, 108.0, 112.0), tongue);
  inside = mix(inside, bytes(255.0, 252.0, 245.0), tooth);
  under = mix(under, inside, cover(lips.gap / px) * opened);
  under = mix(under, ink, inkLine(lips.gap / px, 0.75) * opened * ramp(1.1, 1.0, off));
  float squared = lips.along * lips.along;
  float closed = inkLine((on.y - 0.5 * (lips.first + lips.second)) / px, 0.55 + 0.35 * squared);
  under = mix(under, ink, closed * ramp(1.14, 1.04, off) * (1.0 - opened));
  float dent = inkLine((on.y - lips.bottom - 0.035 - 0.03 * squared) / px, 0.45) * ramp(0.42, 0.25, off);
  return mix(under, shadowPaint() * 0.62, 0.8 * dent * (1.0 - ramp(0.0, 0.3, p_beard)));
}

vec3 withSpectacles(vec3 under, Head on) {
  if (p_glasses <= 0.01 || !within(uGlassesBox)) return under;
  vec2 lens = lensesAt(on);
  vec3 glass = mix(bytes(236.0, 248.0, 255.0), bytes(44.0, 40.0, 58.0), p_sunglasses);
  under = mix(under, glass, cover(lens.x / px) * p_glasses * (0.16 + 0.76 * p_sunglasses));
  float glint = cover((abs(on.x * 0.8 + on.y + 0.22 * on.sgn) - 0.022) / px) * cover((lens.x + 0.03) / px);
  under = mix(under, vec3(1.0), 0.45 * glint * p_glasses);
  float rims = max(cover(abs(lens.x) / px - penWidth * (1.0 + 0.6 * p_glasses_square)), cover(lens.y / px));
  return mix(under, vivid(c_frame, 1.2) * 0.72 + 0.4 * ink, rims * p_glasses);
}

vec3 worn(vec3 under, vec3 cloth, float pixels, float presence) {
  return mix(mix(under, cloth, cover(pixels) * presence), ink, inkLine(pixels) * presence);
}

vec3 withHeadwear(vec3 under, Head on) {
  if (headCovered() <= 0.01) return under;
  ivec4 box = ivec4(0, 0, uSize - 1, uSize - 1);
  vec4 one = distances(uField1, box), two = distances(uField2, box);
  vec3 cloth = vivid(c_headwear, 1.2) * 0.86 + 0.09;
  float dark = 1.0 - 0.17 * ramp(0.20, 0.24, g.x * darkSide + 0.05 * sin(g.y * 7.0));
  float folded = dark * (1.0 - 0.20 * ramp(0.55, 0.75, foldsAt(on)));
  float ribbed = dark * (1.0 - 0.16 * ramp(0.3, 0.6, wave(g.x * 34.0, 34.0 * px)));
  under = worn(under, cloth * folded, one.x, p_headscarf);
  under = worn(under, cloth * folded, one.y, p_turban);
  under = worn(under, cloth * dark, one.z, p_beanie);
  under = worn(under, cloth * 0.9 * ribbed, one.w, p_beanie);
  under = worn(under, cloth * dark, two.x, p_sun_hat);
  return worn(under, cloth * dark, two.y, p_sun_hat);
}

vec3 printed(vec3 picture) {
  if (p_wash <= 0.01) return picture;
  float light = dot(picture, vec3(0.30, 0.59, 0.11));
  vec3 toned = light < 0.5 ? mix(uInk, uPrint, clamp(light / 0.5, 0.0, 1.0))
    : mix(uPrint, vec3(1.0), clamp(2.0 * light - 1.0, 0.0, 1.0));
  return mix(picture, toned, p_wash);
}

void main() {
  place(pixelHere());
  takePen();
  Head on = headAt();
  float strand = texelFetch(uField3, at, 0).w, edge = hairlineAt(on, strand);
  vec4 pixels = distances(uField0, ivec4(0, 0, uSize - 1, uSize - 1));
  vec3 fill = hairFill(strand);
  vec3 picture = shape(paper(), pixels.x, fill * 0.80);
  picture = shape(picture, pixels.y, fill);
  picture = dressed(picture);
  float outer = ramp(p_neck_width + 0.03, p_neck_width + 0.06, abs(g.x)) * ramp(0.60, 0.70, g.y) * p_hair_front;
  picture = mix(picture, fill * 0.9, cover(pixels.x) * outer);
  picture = mix(picture, ink, inkLine(pixels.x) * outer);
  picture = withEars(picture, pixels.w);
  picture = withFace(picture, on, edge);
  picture = withEyes(picture, on);
  picture = withMouth(picture, on);
  float cut = 1.0 - (1.0 - densityAt()) * ramp(1.06, 0.98, on.inside);
  picture = mix(picture, fill, cover(pixels.z) * (0.35 + 0.65 * cut));
  picture = mix(picture, ink, inkLine(pixels.z, 0.85) * (0.25 + 0.75 * cut));
  picture = withSpectacles(picture, on);
  picture = withHeadwear(picture, on);
  colour = vec4(clamp(printed(picture), 0.0, 1.0), 1.0);
}
`;
