/** How much of a pixel shows hair: `companion.data.faces.landmarks.part_masks`, of which only that part is needed. */
export const MASKS = /* glsl */ `
uniform ivec2 uCorner;
out vec4 colour;

void main() {
  place(ivec2(gl_FragCoord.xy) - uCorner);
  Head on = headAt();
  float strand = texelFetch(uField3, at, 0).w;
  ivec4 box = ivec4(0, 0, uSize - 1, uSize - 1);
  vec4 hair = distances(uField0, box), cloth = distances(uField1, box);
  vec4 body = distances(uField2, box), skin = distances(uField3, box);
  Eyes eye = eyesAt(on, 1.0);
  Mouth lips = mouthAt(on);
  Nose parts = noseAt(on);
  float mouth = cover(min(min(lips.upper, lips.lower), lips.gap) / px);
  float nose = (min(sqrt(parts.tip + 1e-6), sqrt(parts.wing + 1e-6)) - 1.0) * 0.07;
  float skull = cover(skin.x), back = cover(hair.x);
  vec2 whiskers = beardAt(on);
  float bearded = max(whiskers.x * ramp(0.0, 0.3, p_beard), whiskers.y * p_moustache);
  float lying = back * ramp(p_neck_width + 0.02, p_neck_width + 0.12, abs(g.x)) * ramp(0.55, 0.85, g.y) * p_hair_front;
  float shown = max(back, cover(hair.y));
  shown *= (1.0 - cover(body.z)) * (1.0 - cover(body.w)) * (1.0 - cover(bodyAt().collar / px) * p_collar);
  shown += (1.0 - shown) * lying;
  shown *= (1.0 - cover(hair.w)) * (1.0 - cover(skin.y)) * (1.0 - skull);
  shown *= (1.0 - cover(nose / px) * skull) * (1.0 - mouth * skull) * (1.0 - bearded * skull * (1.0 - mouth));
  shown *= (1.0 - cover(eye.opening / px) * skull) * (1.0 - cover(browsAt(on).x / px) * skull);
  shown += (1.0 - shown) * cover(hair.z) * (1.0 - (1.0 - densityAt()) * ramp(1.12, 0.98, on.inside));
  shown *= (1.0 - cover(cloth.x) * p_headscarf) * (1.0 - cover(cloth.y) * p_turban) * (1.0 - cover(cloth.z) * p_beanie);
  shown *= (1.0 - cover(cloth.w) * p_beanie) * (1.0 - cover(body.x) * p_sun_hat) * (1.0 - cover(body.y) * p_sun_hat);
  colour = vec4(shown, 0.0, 0.0, 1.0);
}
`;
