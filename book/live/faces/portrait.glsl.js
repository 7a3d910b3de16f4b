/** The soft studio portrait, line for line `companion.data.faces.portrait`: linear light, painted from back to front. */
export const PORTRAIT = /* glsl */ `
out vec4 colour;

vec3 lightDirection;
vec3 lightColour;
float lightSide;

vec3 linearLight(vec3 srgb) { return srgb * srgb; }
float exposure() { return 1.50 - 0.56 * dot(c_skin, vec3(0.3, 0.6, 0.1)); }

vec3 developed(vec3 light) {
  light = max(light, 0.0);
  vec3 srgb = clamp(sqrt(light * 1.12 / (1.0 + 0.16 * light)), 0.0, 1.0);
  return mix(srgb, srgb * srgb * (3.0 - 2.0 * srgb), 0.22);
}

void setLight() {
  lightDirection = vec3(p_light_x, p_light_y, 1.05) * inversesqrt(p_light_x * p_light_x + p_light_y * p_light_y + 1.1);
  float warm = 0.06 * p_light_warmth;
  lightColour = vec3(1.0 + warm, 1.0, 1.0 - 1.4 * warm) * p_light_strength;
  lightSide = clamp(5.0 * p_light_x, -1.0, 1.0);
}

vec3 background() {
  float turn = p_ground_phase * 6.3;
  float along = clamp(0.5 + 0.35 * (uv.y + 0.6 * uv.x * sin(turn)), 0.0, 1.0);
  vec3 wall = mix(linearLight(c_ground), linearLight(c_far), along);
  float glow = bump(square(uv.x - 0.8 * cos(turn)) + square(uv.y + 0.55), 0.35);
  glow += 0.7 * bump(square(uv.x + 0.7 * sin(turn)) + square(uv.y - 0.1), 0.22);
  float halo = bump(square(uv.x) + square(uv.y + 0.1), 0.9);
  return wall * (0.85 + 0.28 * glow + 0.25 * halo);
}

vec3 hairColours(float strand, float flow, float edge) {
  vec3 base = linearLight(c_hair), l = lightDirection;
  float x = g.x / (p_head_width + p_hair_side + 0.15), y = (g.y + 0.1) / (1.15 + p_hair_top);
  float z = sqrt(max(1.0 - x * x - square(min(y, 0.0)), 0.03));
  float facing = l.x * 0.75 * x + l.y * 0.8 * clamp(y, -1.0, 0.3) + l.z * 0.8 * z;
  float form = clamp(0.62 * p_light_fill + 0.30 + 0.85 * facing, 0.18, 1.5) * (1.0 - 0.22 * ramp(0.1, 1.1, g.y));
  float clump = wave(flow * 9.0 + p_hair_phase * 20.0 + 1.2 * sin(g.y * 3.0), 11.0 * px);
  float smoothness = 1.0 - clamp(0.8 * p_hair_curl, 0.0, 1.0) * (1.0 - 0.5 * p_hair_rope);
  float deep = 1.0 + 0.30 * strand + 0.16 * clump * smoothness;
  float band = bump(g.y + 0.62 + 0.7 * p_hair_top - 0.25 * x * lightSide + 0.25 * x * x, 0.15);
  float sheen = band * max(0.55 + 0.45 * strand, 0.0) * smoothness;
  float root = 1.0 - 0.35 * bump(edge, 0.06);
  vec3 lit = base * max(form * deep * root, 0.08) * lightColour;
  return lit + (0.030 + 0.26 * base) * (sheen * clamp(0.4 + facing, 0.0, 1.2));
}

vec3 dressed(vec3 under) {
  if (at.y < uSize / 2) return under;
  Body torso = bodyAt();
  vec4 pixels = distances(uField2, ivec4(0, uSize / 2, uSize - 1, uSize - 1));
  float turn = torso.x / p_neck_width;
  float lit = clamp(0.30 + p_light_fill + 0.34 * lightDirection.x * turn + 0.16 * (1.0 - turn * turn), 0.12, 1.2);
  float chin = 1.0 - 0.55 * ramp(1.36, 0.98, torso.y + 0.10 * turn * turn);
  float sinew = 1.0 - 0.05 * bump(abs(turn) - 0.45 - 0.3 * (1.3 - torso.y), 0.12);
  vec3 skin = linearLight(c_skin) * vec3(1.0, 0.93, 0.90) * lightColour;
  under = mix(under, skin * (lit * chin * sinew) * exposure(), cover(pixels.z));
  vec3 cloth = linearLight(c_clothes), trim = linearLight(c_trim);
  cloth = mix(cloth * 0.93 + 0.02, trim, p_stripes * ramp(-0.25, 0.25, sin(torso.hem * 26.0)));
  float fold = 0.07 * sin(torso.x * 7.0 + 5.0 * torso.y + 9.0 * p_hair_phase) + 0.05 * sin(torso.x * 13.0 - 8.0 * torso.y);
  float rolled = p_roll_neck * 0.10 * wave(torso.x * 44.0, 44.0 * px) * ramp(0.22, 0.14, torso.hem);
  float form = 0.50 + 0.8 * p_light_fill + 0.30 * lightDirection.x * torso.x + fold + rolled;
  form = form * (1.0 - 0.35 * bump(torso.x, 0.42) * bump(torso.y - 1.18, 0.16)) - 0.16 * torso.x * torso.x;
  float rib = bump(torso.hem - 0.045, 0.022) * (1.0 - p_collar) * (1.0 - p_roll_neck);
  under = mix(under, mix(cloth, trim, 0.55 * rib) * clamp(form, 0.1, 1.3) * lightColour, cover(pixels.w));
  float collar = torso.collar / px;
  under *= 1.0 - 0.4 * p_collar * cover(collar - 2.0 * 0.02 / px, 3.5);
  return mix(under, (0.6 * trim + 0.3) * clamp(form + 0.12, 0.1, 1.3), p_collar * cover(collar));
}

vec3 withEars(vec3 under, float pixels) {
  vec2 ear = earsAt();
  float shade = 0.32 + p_light_fill + 0.32 * lightDirection.x * ear.y - 0.30 * bump(ear.x - 0.30, 0.16)
    + 0.10 * bump(ear.x - 0.75, 0.2);
  vec3 skin = linearLight(c_skin) * vec3(1.0, 0.86, 0.80) * lightColour * exposure();
  under = mix(under, skin * clamp(shade, 0.1, 1.2), cover(pixels));
  float dropX = abs(g.x) - p_head_width * 0.985 - p_ear_out;
  float drop = sqrt(dropX * dropX + square(g.y - 0.18 - p_ear_size)) - 0.055;
  float ring = cover(drop / px) * p_earrings * (1.0 - p_headscarf) * ramp(0.55, 0.45, p_hair_cover);
  float gleam = clamp(0.75 + 8.0 * (-dropX * lightDirection.x - (g.y - 0.17 - p_ear_size)), 0.3, 1.5);
  return mix(under, vec3(0.85, 0.60, 0.22) * gleam, ring);
}

float bristle(Head on) {
  float warped = on.x * 58.0 + 7.0 * on.y + 2.5 * sin(on.y * 21.0 + on.x * 9.0) + p_hair_phase * 9.0;
  return wave(warped, 66.0 * px) + 0.6 * wave(on.x * 27.0 - 9.0 * on.y + 2.0 * sin(on.y * 15.0), 33.0 * px);
}

/** Light on the relief, and the shine on top of it in the last channel. */
vec4 skinLight(Head on, Nose parts) {
  vec3 l = lightDirection;
  float eyeX = on.side - p_eye_spacing, eyeY = on.y - p_eye_height;
  float socket = bump(eyeX / 1.2, 0.18) * bump(eyeY + 0.03, 0.105);
  float along = slope(uField3, ivec2(1, 0), uFaceBox).z / px, down = slope(uField3, ivec2(0, 1), uFaceBox).z / px;
  float facing = inversesqrt(along * along + down * down + 1.0);
  float towards = (l.z - along * l.x - down * l.y) * facing;
  vec3 wrap = vec3(0.46, 0.32, 0.25);
  vec3 diffuse = clamp((towards + wrap) / (1.0 + wrap), 0.0, 1.2) * lightColour;
  float hollow = (1.0 - 0.16 * socket) * (1.0 - 0.24 * bump(parts.x, p_nose_width) * bump(on.y - p_nose_length - 0.075, 0.034));
  float castX = parts.x + 0.10 * lightSide;
  float fallen = bump(castX, 0.08) * ramp(0.0, 0.25, on.y) * ramp(p_nose_length + 0.10, p_nose_length + 0.02, on.y);
  hollow *= 1.0 - 0.16 * fallen * ramp(0.02, 0.09, -parts.x * lightSide);
  float limb = 1.0 - 0.24 * ramp(0.45, 1.0, on.inside);
  float ambient = p_light_fill * (0.80 + 0.20 * facing + 0.18 * down * facing);
  vec3 total = (diffuse * 0.86 + ambient) * (hollow * limb * exposure());
  float mirror = (l.z + 1.0) * facing - (along * l.x + down * l.y) * facing;
  mirror = max(mirror * inversesqrt(l.x * l.x + l.y * l.y + square(l.z + 1.0)), 0.0);
  float glossy = square(square(square(mirror))), tight = square(square(glossy));
  float rim = 0.16 * ramp(0.55, 1.0, on.inside) * ramp(0.05, 0.5, -g.x * lightSide) * (0.4 + p_light_fill);
  return vec4(total + rim, (0.026 * glossy + 0.035 * tight) * hollow);
}

vec3 complexion(Head on, Nose parts) {
  vec3 skin = linearLight(c_skin) * vec3(1.04, 0.98, 0.92);
  float cheeks = bump(on.side - 0.43, 0.21) * bump(on.y - 0.34, 0.17) * (0.05 + 0.11 * p_blush + 0.08 * p_makeup);
  float tip = 0.14 * bump(parts.x, 0.10) * bump(on.y - p_nose_length + 0.02, 0.08);
  float mottled = 0.025 * sin(on.x * 9.0 + 3.0 * sin(on.y * 7.0)) * sin(on.y * 11.0 + 2.0 * sin(on.x * 8.0));
  float fine = wave(on.x * 83.0 + 4.0 * sin(on.y * 37.0), 90.0 * px) * sin(on.y * 79.0 + 4.0 * sin(on.x * 41.0));
  mottled += 0.022 * fine;
  vec3 tone = skin * (1.0 + mottled) * (1.0 - (cheeks + tip) * vec3(0.10, 1.25, 1.05));
  tone *= 1.0 - 0.72 * frecklesAt(on) * vec3(0.5, 0.9, 1.0);
  float spot = square(on.x - p_mole_x) + square(on.y - p_mole_y);
  return tone * (1.0 - 0.75 * p_mole * bump(spot, 0.0006));
}

vec3 withFace(vec3 under, Head on, float edge) {
  if (!within(uFaceBox)) return under;
  Nose parts = noseAt(on);
  vec4 light = skinLight(on, parts);
  float bald = ramp(0.55, 1.0, p_hair_thin);
  float shaded = ramp(-0.17, 0.0, edge) * (1.0 - bald) * ramp(0.55, 0.3, g.y);
  vec3 lit = light.rgb * (1.0 - 0.42 * shaded);
  vec3 skin = complexion(on, parts) * lit + light.a;
  vec4 pixels = distances(uField3, uFaceBox);
  vec3 hair = linearLight(c_hair);
  float bristles = bristle(on);
  vec3 tuft = hair * (0.55 + 0.30 * lightDirection.x * g.x + 0.13 * bristles) + 0.004;
  under = mix(under, tuft * 0.9, cover(pixels.y, 1.6));
  vec2 whiskers = beardAt(on);
  float full = min(whiskers.x * ramp(0.0, 0.3, p_beard) * (0.72 + 0.28 * p_beard), 0.97);
  float shadow = 0.42 * p_stubble * (1.0 - ramp(0.0, 0.2, p_beard)) * max(whiskers.x, 0.8 * whiskers.y);
  skin *= 1.0 - shadow * vec3(0.8, 0.75, 0.62);
  vec3 bearded = hair * (0.22 + 0.62 * (lit.r + lit.g + lit.b) / 3.0) * (1.0 + 0.25 * bristles);
  skin = mix(skin, bearded, max(full, 0.93 * whiskers.y * p_moustache));
  return mix(under, skin, cover(pixels.x));
}

vec3 lidded(Eyes eye, vec3 under, vec3 skin) {
  float reach = ramp(1.25, 1.0, abs(eye.u));
  float foldY = eye.upper - 0.028 - 0.018 * p_lid_crease;
  float lid = ramp(foldY - 0.02, foldY + 0.005, eye.v) * ramp(eye.upper + 0.01, eye.upper - 0.004, eye.v) * reach;
  vec3 painted = mix(skin * vec3(0.62, 0.40, 0.46), linearLight(c_frame), 0.15);
  under = mix(under, painted, 0.85 * p_makeup * lid);
  float crease = cover((abs(eye.v - foldY) - 0.006) / px, 2.0) * ramp(1.1, 0.75, abs(eye.u));
  under *= 1.0 - 0.45 * p_lid_crease * crease * vec3(0.8, 0.95, 1.0);
  float bag = bump(eye.v - p_eye_open * 0.62 - 0.055, 0.016) * ramp(0.95, 0.3, abs(eye.u));
  under *= 1.0 - 0.20 * (0.15 + p_age_lines) * bag * vec3(0.8, 1.0, 1.0);
  float feet = ramp(1.02, 1.2, eye.u) * ramp(1.75, 1.4, eye.u)
    * max(wave((eye.v + 0.01) / max(eye.u, 0.5) * 95.0, 70.0 * px), 0.0);
  under *= 1.0 - 0.30 * p_age_lines * feet * bump(eye.v, 0.07);
  float rim = cover((abs(eye.v - eye.lower) - 0.008) / px, 1.6) * ramp(1.05, 0.85, abs(eye.u));
  return mix(under, skin * vec3(0.72, 0.46, 0.42), 0.5 * rim);
}

vec3 eyeball(Head on, Eyes eye) {
  float shade = 0.52 + 0.48 * ramp(-0.01, p_eye_open, eye.v - eye.upper);
  vec3 white = vec3(0.92, 0.89, 0.87) * (shade * (1.0 - 0.28 * eye.u * eye.u) * (0.66 + 0.32 * p_light_fill / 0.4));
  vec3 ball = min(white, 1.0);
  float ring = eye.iris / p_iris_size;
  float glow = 0.75 + 1.1 * ramp(-0.02, 0.07, eye.irisY) * ramp(0.2, 0.9, ring);
  vec3 iris = linearLight(c_iris) * (glow * (1.0 - 0.70 * ramp(0.76, 1.02, ring)) * (0.6 + 0.4 * shade)) * 1.35;
  ball = mix(ball, iris, cover((eye.iris - p_iris_size) / px, 1.4));
  ball = mix(ball, vec3(0.003), cover((eye.iris - 0.46 * p_iris_size) / px, 1.3));
  float sparkX = eye.irisX * on.sgn - 0.027 * lightSide;
  float spark = sqrt(sparkX * sparkX + square(eye.irisY + 0.028)) - 0.020;
  ball = mix(ball, vec3(1.0), cover(spark / px) * 0.95);
  float second = square(sparkX + 0.055 * lightSide) + square(eye.irisY - 0.033);
  return ball + 0.18 * bump(second, 0.0004);
}

vec3 withEyes(vec3 under, Head on) {
  if (!within(uEyesBox)) return under;
  Eyes eye = eyesAt(on, 1.0);
  vec3 skin = linearLight(c_skin) * exposure();
  under = lidded(eye, under, skin);
  under = mix(under, eyeball(on, eye), cover(eye.opening / px, 1.25));
  float lash = 0.010 + 0.006 * ramp(-0.8, 0.8, eye.u) + 0.007 * p_makeup;
  float lashes = cover((abs(eye.v - eye.upper + 0.004) - lash) / px, 1.3) * ramp(1.10, 0.96, abs(eye.u));
  under = mix(under, linearLight(c_hair) * 0.10 + 0.004, 0.92 * lashes);
  vec3 brow = browsAt(on);
  float hairs = 0.78 + 0.22 * wave(brow.y * 42.0 + brow.z * 2.4 + p_hair_phase * 9.0, 230.0 * px);
  vec3 paint = linearLight(c_hair) * 0.50 + 0.05 * skin;
  return mix(under, paint, cover(brow.x / px, 2.4) * hairs * (1.0 - 0.25 * ramp(0.4, 1.1, abs(brow.z))));
}

vec3 withMouth(vec3 under, Head on) {
  if (!within(uMouthBox)) return under;
  Mouth lips = mouthAt(on);
  Nose parts = noseAt(on);
  vec3 skin = linearLight(c_skin);
  float around = bump(parts.wing - 1.25, 0.40) * ramp(0.55 * p_nose_width, 0.95 * p_nose_width, parts.side);
  under *= 1.0 - 0.26 * around * vec3(0.75, 1.0, 1.0);
  float below = bump(parts.tip - 1.1, 0.35) * ramp(p_nose_length, p_nose_length + 0.06, on.y);
  under *= 1.0 - 0.30 * below * vec3(0.75, 1.0, 1.0);
  under = mix(under, skin * vec3(0.16, 0.08, 0.07), 0.85 * ramp(1.5, 0.5, parts.nostril));
  vec3 red = vec3(0.50, 0.06, 0.09) * (0.55 + 0.6 * (c_skin.r + c_skin.g + c_skin.b) / 3.0);
  vec3 paint = mix(linearLight(c_lips), red, 0.9 * p_makeup) * exposure();
  float sidelight = 0.62 + 0.5 * p_light_fill + 0.35 * lightDirection.x * on.x;
  float middle = 0.5 * (lips.second + lips.bottom);
  float rounded = 0.80 + 0.30 * bump(on.y - middle + 0.012, 0.6 * p_lower_lip + 0.01);
  float tone = (on.y < 0.5 * (lips.first + lips.second) ? 0.72 : rounded) * sidelight;
  float gleam = 0.07 * (0.5 + p_makeup) * bump(lips.along, 0.42) * bump(on.y - middle + 0.014, 0.016);
  float alpha = min(0.85 * cover(lips.upper / px, 2.2) + 0.85 * cover(lips.lower / px, 2.4), 0.9);
  under = mix(under, paint * tone + gleam, alpha);
  float opened = ramp(0.02, 0.10, p_mouth_open), height = lips.second - lips.first;
  float gap = cover(lips.gap / px, 1.3) * opened;
  float tooth = ramp(0.0, 0.012, lips.first + 0.55 * height + 0.02 - on.y) * ramp(1.0, 0.7, abs(lips.along));
  vec3 teeth = vec3(0.84, 0.80, 0.74) * ((1.0 - 0.5 * lips.along * lips.along) * ramp(-0.03, 0.03, on.y - lips.first));
  vec3 inside = vec3(0.10, 0.018, 0.02) + vec3(0.26, 0.05, 0.05) * bump(on.y - lips.second + 0.005, 0.035);
  under = mix(under, mix(inside, teeth, tooth), gap);
  float line = cover((abs(on.y - 0.5 * (lips.first + lips.second)) - 0.007) / px, 1.7) * ramp(1.10, 0.92, abs(lips.along));
  under = mix(under, paint * 0.16, 0.8 * line * (1.0 - opened));
  float corner = bump(abs(lips.along) - 1.06, 0.09) * bump(on.y - mouthY() + 0.04 * p_smile, 0.03);
  return under * (1.0 - 0.30 * corner * vec3(0.7, 1.0, 1.0));
}

vec3 withSpectacles(vec3 under, Head on) {
  if (p_glasses <= 0.01 || !within(uGlassesBox)) return under;
  vec2 lens = lensesAt(on);
  vec3 frame = linearLight(c_frame) * 0.8 + 0.004;
  float glass = cover(lens.x / px) * p_glasses;
  under = mix(under, frame * 0.25, glass * (0.03 + 0.87 * p_sunglasses));
  float slanted = on.x * 0.8 + on.y + 0.22 * on.sgn;
  under += 0.10 * (bump(slanted, 0.035) + 0.6 * bump(slanted - 0.09, 0.015)) * glass;
  float width = 0.011 + 0.012 * p_glasses_square;
  under *= 1.0 - 0.12 * cover((abs(lens.x) - width) / px - 0.02 / px, 4.0) * p_glasses;
  float rims = max(cover((abs(lens.x) - width) / px), cover(lens.y / px)) * p_glasses;
  return mix(under, frame * (0.8 + 0.5 * ramp(0.0, 0.03, -lens.x)) + 0.01, rims);
}

vec3 worn(vec3 under, vec3 cloth, float shade, float pixels, float presence, float inside) {
  float alpha = cover(pixels) * presence;
  under *= 1.0 - 0.30 * cover(pixels - 0.05 / px, 6.0) * (1.0 - alpha) * presence * ramp(1.05, 0.95, inside);
  float inner = 0.78 + 0.22 * ramp(0.0, 0.07, -pixels * px);
  return mix(under, cloth * clamp(shade * inner, 0.06, 1.4) * lightColour, alpha);
}

vec3 withHeadwear(vec3 under, Head on) {
  if (headCovered() <= 0.01) return under;
  ivec4 box = ivec4(0, 0, uSize - 1, uSize - 1);
  vec4 one = distances(uField1, box), two = distances(uField2, box);
  vec3 cloth = linearLight(c_headwear) * 0.92 + 0.02, l = lightDirection;
  float x = g.x / (p_head_width + 0.15), y = (g.y + 0.2) / 1.1;
  float z = sqrt(max(1.0 - x * x - square(min(y, 0.0)), 0.03));
  float form = 0.22 + 0.8 * p_light_fill + 0.55 * (l.x * x + l.y * clamp(y, -1.0, 0.4) * 0.8 + l.z * z);
  float knit = form * (1.0 + 0.10 * wave(g.x * 46.0, 46.0 * px));
  float straw = form * (1.0 + 0.05 * wave(g.y * 60.0 + 9.0 * g.x * g.x, 60.0 * px));
  float wrapped = form * (1.0 + 0.17 * foldsAt(on));
  under = worn(under, cloth, wrapped, one.x, p_headscarf, on.inside);
  under = worn(under, cloth, wrapped, one.y, p_turban, on.inside);
  under = worn(under, cloth, knit, one.z, p_beanie, on.inside);
  under = worn(under, cloth, knit * 0.82, one.w, p_beanie, on.inside);
  under = worn(under, cloth, straw, two.x, p_sun_hat, on.inside);
  under = worn(under, cloth, straw * 0.92, two.y, p_sun_hat, on.inside);
  float ribbon = cover((abs(g.y + 0.60 - 0.08 * x * x) - 0.055) / px) * cover(two.x) * p_sun_hat;
  return mix(under, linearLight(c_trim) * form, ribbon * (1.0 - cover(two.y)));
}

void main() {
  place(pixelHere());
  setLight();
  Head on = headAt();
  float strand = texelFetch(uField3, at, 0).w, flow = flowAt(), edge = hairlineAt(on, strand);
  vec4 pixels = distances(uField0, ivec4(0, 0, uSize - 1, uSize - 1));
  float back = cover(pixels.x, 1.5);
  vec3 hair = hairColours(strand, flow, edge);
  vec3 picture = mix(background(), hair * 0.62, back);
  picture = mix(picture, hair, cover(pixels.y, 1.5));
  picture = dressed(picture);
  float bend = 0.04 * sin(g.y * 5.0 + p_hair_phase * 9.0) * p_hair_wave;
  float outer = ramp(p_neck_width + 0.02, p_neck_width + 0.12, abs(g.x - bend)) * ramp(0.55, 0.85, g.y);
  picture = mix(picture, hair * 0.85, back * outer * p_hair_front);
  picture = withEars(picture, pixels.w);
  picture = withFace(picture, on, edge);
  picture = withEyes(picture, on);
  picture = withMouth(picture, on);
  float fringe = cover(pixels.z, 1.5) * ramp(-0.015, 0.075 - 0.05 * p_hair_fringe, edge + 0.03 * strand);
  fringe *= 1.0 - (1.0 - densityAt()) * ramp(1.12, 0.98, on.inside);
  picture = mix(picture, hair, fringe);
  picture = withSpectacles(picture, on);
  picture = withHeadwear(picture, on);
  picture *= 1.0 - 0.14 * (uv.x * uv.x + uv.y * uv.y);
  colour = vec4(developed(picture), 1.0);
}
`;
