/**
 * Who might walk in: the package's prior over faces (`companion.data.faces.prior`), random numbers and all, so that
 * person 7 of the page is person 7 of the package.
 * @module
 */

import { along } from "./renderer.js";

/** @typedef {import("./parameters.js").Parameters} Parameters */
/** @typedef {import("./parameters.js").Face} Face */
/** @typedef {import("./parameters.js").Colour} Colour */
/** @typedef {Record<string, number>} Numbers */

const MASK = (1n << 64n) - 1n;
const STEP = 0x9e3779b97f4a7c15n; // SplitMix64's
const FIRST = 0xbf58476d1ce4e5b9n;
const SECOND = 0x94d049bb133111ebn;
const JITTER = { top: 0.18, side: 0.18, length: 0.06, flare: 0.3, wave: 0.25, curl: 0.08, fringe: 0.2 };

/** Random numbers as a function of whose they are, their name and an index. */
class Draws {
  /** @param {Record<string, string>} streams @param {"person" | "scene"} who @param {number} index */
  constructor(streams, who, index) {
    this.streams = streams;
    this.who = who;
    this.index = BigInt(index);
  }

  /** Between 0 and 1. @param {string} name @returns {number} */
  uniform(name) {
    const start = this.streams[`${this.who}'s ${name}`];
    if (start === undefined) throw new Error(`There are no random numbers for ${name}.`);
    let bits = (BigInt(`0x${start}`) + this.index * STEP) & MASK;
    bits = ((bits ^ (bits >> 30n)) * FIRST) & MASK;
    bits = ((bits ^ (bits >> 27n)) * SECOND) & MASK;
    const share = Number((bits ^ (bits >> 31n)) >> 12n) / 2 ** 52;
    return Math.fround(clamp(share, 1e-6, 1 - 1e-6));
  }

  /** Standard normal, cut at ±2.5. @param {string} name */
  normal(name) {
    return clamp(quantile(this.uniform(name)), -2.5, 2.5);
  }

  /** 1 with this probability, else 0. @param {string} name @param {number} probability */
  chance(name, probability) {
    return Number(this.uniform(name) < probability);
  }

  /** A place in a list of weights. @param {string} name @param {number[]} weights */
  choice(name, weights) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const wanted = this.uniform(name) * total;
    let sum = 0;
    const found = weights.findIndex((weight) => {
      sum += weight;
      return wanted <= sum;
    });
    return found < 0 ? weights.length - 1 : found;
  }
}

/**
 * Person `identity` as seen in `view`, both whole numbers.
 * @param {Parameters} parameters
 * @param {number} identity
 * @param {number} view
 * @returns {Face}
 */
export function drawPerson(parameters, identity, view = 0) {
  const { prior } = parameters.data;
  const person = new Draws(prior.streams, "person", identity);
  const scene = new Draws(prior.streams, "scene", identity * 1_000_003 + view);
  const factors = factorsOf(person);
  const lasting = lastingOf(prior, person, factors);
  const values = {
    ...identityOf(parameters, person, factors),
    ...lasting,
    ...passingOf(prior, scene, lasting),
    ...nuisanceOf(prior, scene),
  };
  return parameters.clamp(parameters.replace(parameters.mean(), values));
}

/** @param {Draws} person @returns {Numbers} */
function factorsOf(person) {
  const names = ["softness", "age", "build", "tone", "jaw", "length", "eyes", "fold", "nose", "lips"];
  /** @type {Numbers} */
  const factors = Object.fromEntries(names.map((name) => [name, person.normal(`factor ${name}`)]));
  factors.softness = clamp(0.95 * (2 * person.chance("factor side", 0.5) - 1) + 0.4 * factors.softness, -2, 2);
  factors.age = quantile(clamp(person.uniform("factor age") ** 1.7, 1e-3, 0.999));
  factors.tone = (person.uniform("factor tone") - 0.5) * 3.4;
  const middle = Number(factors.tone > -1.5 && factors.tone < 0.3);
  factors.fold = person.chance("factor fold", 0.45 * middle) * 2.2 - 0.4 + 0.3 * factors.fold;
  return factors;
}

/** @param {Parameters} parameters @param {Draws} person @param {Numbers} factors @returns {Numbers} */
function identityOf(parameters, person, factors) {
  const { prior } = parameters.data;
  /** @type {Numbers} */
  const found = {};
  for (const { name, low, mean, high, shape } of parameters.list) {
    if (!shape || name.startsWith("hair_")) continue;
    const loadings = Object.entries(prior.loadings[name] ?? {});
    const rest = Math.sqrt(Math.max(0.2, 1 - loadings.reduce((sum, [, loading]) => sum + loading ** 2, 0)));
    const leaning = loadings.reduce((sum, [factor, loading]) => sum + loading * factors[factor], 0);
    const deviation = (leaning + rest * person.normal(name)) / 2.1;
    found[name] = mean + (deviation > 0 ? high - mean : mean - low) * deviation;
  }
  const age = clamp(share(factors.age), 0, 1);
  return {
    ...found,
    asymmetry: 0.006 * person.normal("asymmetry"),
    age,
    freckles: person.chance("freckled", 0.16 * Number(factors.tone < 0)) * (0.7 + 0.3 * person.uniform("freckles")),
    mole: person.chance("mole", 0.12),
    mole_x: (2 * person.chance("mole side", 0.5) - 1) * (0.25 + 0.2 * person.uniform("mole_x")),
    mole_y: 0.35 + 0.35 * person.uniform("mole_y"),
    blush: person.uniform("blush"),
    ...hairOf(prior, person, factors, age),
    ...coloursOf(prior, person, factors, age),
  };
}

/** @param {import("./parameters.js").PriorData} prior @param {Draws} person @param {Numbers} factors @param {number} age */
function hairOf(prior, person, factors, age) {
  const soft = sigmoid(3 * factors.softness);
  const dark = sigmoid(2.2 * (factors.tone - 0.5));
  const cuts = Object.values(prior.cuts);
  const [length, bun] = ["length", "bun"].map((name) => prior.hair.indexOf(name));
  const weights = cuts.map(({ values, less, more, coiled }) => {
    const suited = coiled ? 0.04 + 1.6 * dark : 1.1 - 0.75 * dark;
    return (less * (1 - soft) + more * soft) * suited * (values[length] > 1 ? 1 - 0.7 * age : 1);
  });
  const style = cuts[person.choice("hair style", weights)].values;
  /** @type {Numbers} */
  const found = {};
  prior.hair.forEach((name, column) => {
    const jitter = JITTER[/** @type {keyof typeof JITTER} */ (name)] ?? 0;
    found[`hair_${name}`] = style[column] * (1 + jitter * person.normal(`hair_${name}`));
  });
  const parted = (2 * person.chance("hair side", 0.5) - 1) * (0.1 + 0.3 * person.uniform("hair_part"));
  const loose = 1 - clamp(found.hair_curl, 0, 1);
  const losing = style[length] < 0.3 && style[bun] === 0 ? (1 - soft) * (0.08 + 0.75 * age ** 1.5) : 0;
  return {
    ...found,
    hair_part: parted * loose,
    hair_sweep: parted * loose * clamp(1 - found.hair_fringe, 0, 1) * 0.8,
    hair_thin: person.chance("hair loss", losing) * (person.uniform("bald") < 0.45 ? 1 : 0.5),
    hair_phase: person.uniform("hair_phase"),
  };
}

/** @param {import("./parameters.js").PriorData} prior @param {Draws} person @param {Numbers} factors @param {number} age */
function coloursOf(prior, person, factors, age) {
  const tone = clamp(factors.tone / 3.4 + 0.5, 0, 1);
  const undertone = 0.016 * person.normal("undertone");
  const skin = along(prior.skins, tone).map((value, channel) => value + [0.6, 0, -0.8][channel] * undertone);
  const fair = factors.fold < 0.6 ? sigmoid(-9 * (tone - 0.32)) : 0;
  let hair = along(prior.hairs, person.uniform("hair colour") * (person.uniform("fair hair") < fair ? 1 : 0.4));
  if (person.uniform("red hair") < 0.14 * fair) hair = along(prior.reds, person.uniform("red"));
  const grey = sigmoid(11 * (age - 0.7 - 0.09 * person.normal("greying")));
  const silver = along(prior.greys, grey * (0.55 + 0.5 * person.uniform("silver")));
  if (grey > 0.25) hair = mixed(hair, silver, grey);
  const dyed = person.chance("dyed", 0.03 * Number(age < 0.5));
  const dye = [0, 1 / 3, 2 / 3].map((turn) => 0.5 + 0.5 * Math.cos(2 * Math.PI * (person.uniform("dye") + turn)));
  hair = mixed(
    hair,
    dye.map((value) => value * 0.75 + 0.05),
    0.85 * dyed,
  );
  const iris = along(prior.irises, person.uniform("iris") * (person.uniform("pale iris") < 1.2 * fair ? 1 : 0.33));
  const lips = lipsOf(skin);
  return { ...channels("skin", skin), ...channels("hair", hair), ...channels("iris", iris), ...channels("lips", lips) };
}

/** Lips that go with a skin, both sRGB in [0, 1]. @param {number[]} skin */
export function lipsOf(skin) {
  return skin.map((value, channel) => value * [0.86, 0.6, 0.6][channel] + [0.03, 0, 0.01][channel]);
}

/** @param {import("./parameters.js").PriorData} prior @param {Draws} person @param {Numbers} factors @returns {Numbers} */
function lastingOf(prior, person, factors) {
  const soft = sigmoid(4 * factors.softness);
  const age = share(factors.age);
  const hard = Number(soft < 0.3);
  const turban = person.chance("turban", Math.abs(factors.tone) < 1.2 ? 0.07 * (1 - soft) : 0);
  const bearded = Math.max(person.chance("bearded", 0.34), turban) * hard;
  const moustache = Math.max(bearded, person.chance("moustached", 0.12)) * hard;
  const bold = person.uniform("bold frame") < 0.35;
  return {
    headscarf: person.chance("headscarf", 0.13 * soft),
    turban,
    beard: bearded * (0.3 + 0.7 * person.uniform("beard")),
    moustache: moustache * (0.6 + 0.4 * person.uniform("moustache")),
    stubble: hard * person.chance("stubbled", 0.45) * person.uniform("stubble"),
    glasses: person.chance("glasses", 0.16 + 0.2 * age),
    glasses_square: person.uniform("glasses_square"),
    earrings: person.chance("earrings", 0.06 + 0.45 * soft),
    age_lines: clamp((age - 0.35) * 1.5, 0, 1) * (0.6 + 0.4 * person.uniform("age_lines")),
    makeup: Number(soft > 0.6) * person.chance("made up", 0.5) * (0.7 + 0.3 * person.uniform("makeup")),
    ...channels("frame", bold ? pick(prior.garments, person.uniform("frame")) : [0.12, 0.12, 0.12]),
  };
}

/** @param {import("./parameters.js").PriorData} prior @param {Draws} scene @param {Numbers} lasting @returns {Numbers} */
function passingOf(prior, scene, lasting) {
  const moods = Object.values(prior.expressions);
  const [smile, opened, raised, lids] =
    moods[
      scene.choice(
        "expression",
        moods.map((mood) => mood[4]),
      )
    ];
  const bare = (1 - lasting.headscarf) * (1 - lasting.turban);
  const worn = scene.uniform("hat");
  const cut = scene.uniform("cut");
  return {
    smile: smile + 0.09 * scene.normal("smile"),
    mouth_open: opened + Number(opened > 0) * 0.12 * scene.normal("mouth_open"),
    brow_raise: raised + 0.12 * scene.normal("brow_raise"),
    lids: lids + 0.03 * scene.normal("lids"),
    gaze_x: 0.22 * scene.normal("gaze_x"),
    gaze_y: 0.12 * scene.normal("gaze_y"),
    sunglasses: lasting.glasses * scene.chance("sunglasses", 0.14),
    beanie: bare * Number(worn < 0.05),
    sun_hat: bare * Number(worn > 0.05 && worn < 0.1),
    neckline: Number(cut < 0.5) * scene.uniform("neckline"),
    collar: Number(cut > 0.5 && cut < 0.8),
    roll_neck: Number(cut > 0.88),
    stripes: Number(cut < 0.5) * scene.chance("stripes", 0.3),
    ...channels("headwear", pick(prior.garments, scene.uniform("headwear"))),
    ...channels("clothes", pick(prior.garments, scene.uniform("garment"))),
    ...channels("trim", pick(prior.garments, scene.uniform("trim"))),
  };
}

/** @param {import("./parameters.js").PriorData} prior @param {Draws} scene @returns {Numbers} */
function nuisanceOf(prior, scene) {
  const shade = 0.04 * scene.normal("ground shade");
  const ground = pick(prior.grounds, scene.uniform("ground")).map((value) => value + shade);
  const darker = 0.55 + 0.75 * scene.uniform("far");
  return {
    yaw: 0.19 * scene.normal("yaw"),
    pitch: 0.08 * scene.normal("pitch"),
    roll: 0.06 * scene.normal("roll"),
    shift_x: 0.025 * scene.normal("shift_x"),
    shift_y: 0.02 * scene.normal("shift_y"),
    scale: 0.63 + 0.022 * scene.normal("scale"),
    light_x: (2 * scene.chance("light side", 0.5) - 1) * (0.35 + 0.6 * scene.uniform("light_x")),
    light_y: -0.4 - 0.45 * scene.uniform("light_y"),
    light_strength: 0.9 + 0.2 * scene.uniform("light_strength"),
    light_fill: 0.3 + 0.18 * scene.uniform("light_fill"),
    light_warmth: 0.4 * scene.normal("light_warmth"),
    ground_phase: scene.uniform("ground_phase"),
    pen_width: 0.75 + 0.6 * scene.uniform("pen_width"),
    pen_swell: 0.8 * scene.uniform("pen_swell"),
    ink: scene.uniform("ink"),
    hatch: scene.chance("hatched", 0.35) * (0.6 + 0.4 * scene.uniform("hatch")),
    wash: scene.chance("washed", 0.16) * (0.85 + 0.15 * scene.uniform("wash")),
    disc: scene.chance("disc", 0.5),
    ...channels("ground", ground),
    ...channels(
      "far",
      ground.map((value) => value * darker),
    ),
  };
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** @param {number} x */
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** @param {Colour[]} colours @param {number} where @returns {number[]} */
const pick = (colours, where) => {
  return colours[Math.min(Math.trunc(where * colours.length), colours.length - 1)].map((byte) => byte / 255);
};

/** @param {number[]} from @param {number[]} to @param {number} part @returns {Colour} */
function mixed(from, to, part) {
  return /** @type {Colour} */ (from.map((value, channel) => value + part * (to[channel] - value)));
}

/** @param {string} name @param {number[]} colour @returns {Numbers} */
function channels(name, colour) {
  return Object.fromEntries(colour.map((value, channel) => [`${name}_${"rgb"[channel]}`, clamp(value, 0, 1)]));
}

/** The share of a standard normal distribution below x: erfc by Press et al., Numerical Recipes §6.2, to 1.2e-7. @param {number} x */
export function share(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const terms = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196];
  const series = terms.reduce((sum, term) => sum * t + term, 0) * t * t + 1.00002368 * t;
  const tail = 0.5 * t * Math.exp(-z * z - 1.26551223 + series);
  return x > 0 ? 1 - tail : tail;
}

/** The inverse of `share`: Acklam’s rational approximation, to 1.2e-9 of the value. @param {number} p @returns {number} */
export function quantile(p) {
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    const above = [-7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734];
    const below = [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
    return polynomial([...above, 4.374664141464968, 2.938163982698783], q) / polynomial([...below, 1], q);
  }
  const q = p - 0.5;
  const above = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716];
  const below = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  return (polynomial([...above, 2.506628277459239], q * q) * q) / polynomial([...below, 1], q * q);
}

/** @param {number[]} terms from the highest power down @param {number} x */
function polynomial(terms, x) {
  return terms.reduce((sum, term) => sum * x + term, 0);
}
