/**
 * The package's face renderers as WebGL2 shaders: a first pass writes fields, a second turns them into a picture.
 * @module
 */

import { CARICATURE } from "./caricature.glsl.js";
import { MASKS } from "./masks.glsl.js";
import { PORTRAIT } from "./portrait.glsl.js";
import { DISTANCES, FIELDS, GEOMETRY, GRID, HAIR } from "./shapes.glsl.js";

/** @typedef {import("./parameters.js").Face} Face */
/** @typedef {import("./parameters.js").Colour} Colour */
/** @typedef {import("./parameters.js").Parameters} Parameters */
/** @typedef {"portrait" | "caricature"} Kind */
/** @typedef {{ program: WebGLProgram, at: Record<string, WebGLUniformLocation | null> }} Built */

const HEADER = "#version 300 es\nprecision highp float;\nprecision highp int;\n";
const CORNERS = `${HEADER}void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;
const TARGETS = 4; // textures of fields, each of four numbers: as many as WebGL2 promises
/** Windows into the picture, half their size in head units: what is painted there ends at their edges. */
const WINDOWS = {
  portrait: { face: [0.98, 1.16], eyes: [0.62, 0.34], mouth: [0.46, 0.34] },
  caricature: { face: [1.02, 1.22], eyes: [0.66, 0.37], mouth: [0.5, 0.42] },
};
/** @type {Record<string, string>} */
const PICTURES = { portrait: PORTRAIT, caricature: CARICATURE, masks: MASKS };
const UNIFORMS = [
  ...["P", "uSize", "uFaceBox", "uEyesBox", "uMouthBox", "uGlassesBox", "uUpsideDown"],
  ...["uCorner", "uField0", "uField1", "uField2", "uField3", "uInk", "uPaper", "uOther", "uPrint", "uBristle"],
];

/** Draws faces onto a canvas that is not in the page; take the picture from it before the script ends. */
export class FaceRenderer {
  /**
   * @param {Parameters} parameters
   * @throws {Error} One sentence where the browser lacks what is needed.
   */
  constructor(parameters) {
    this.parameters = parameters;
    this.canvas = new OffscreenCanvas(1, 1);
    const gl = this.canvas.getContext("webgl2", { antialias: false, depth: false });
    if (!gl?.getExtension("EXT_color_buffer_float")) {
      throw new Error("Faces are drawn by WebGL 2, which this browser does not offer or has switched off.");
    }
    this.gl = gl;
    /** @type {Map<string, Built>} */
    this.built = new Map();
    this.size = 0;
    /** @type {WebGLTexture[]} */
    this.textures = [];
    this.fields = gl.createFramebuffer();
  }

  /**
   * Draw one face onto `canvas`.
   * @param {Face} face exaggerated already, for a drawing
   * @param {Kind} kind
   * @param {number} size of the picture in pixels
   */
  draw(face, kind, size) {
    this.makeRoom(size);
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    this.firstPass(face, kind);
    this.secondPass(face, kind, null, [0, 0], true);
  }

  /**
   * How much of each pixel shows hair, for many faces: the package's `part_masks` at "hair", `(faces, size, size)`.
   * @param {Face[]} faces
   * @param {number} size
   * @returns {Float32Array}
   */
  hair(faces, size) {
    const { gl } = this;
    this.makeRoom(size);
    const room = gl.createTexture();
    const target = gl.createFramebuffer();
    gl.bindTexture(gl.TEXTURE_2D, room);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, size, size * faces.length);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, room, 0);
    for (const [row, face] of faces.entries()) {
      this.firstPass(face, "portrait");
      this.secondPass(face, "masks", target, [0, row * size], false);
    }
    const pixels = new Float32Array(4 * size * size * faces.length);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target);
    gl.readPixels(0, 0, size, size * faces.length, gl.RGBA, gl.FLOAT, pixels);
    gl.deleteFramebuffer(target);
    gl.deleteTexture(room);
    return Float32Array.from({ length: pixels.length / 4 }, (_, place) => pixels[4 * place]);
  }

  /** The picture last drawn as bytes RGBA, from its upper left corner. @returns {Uint8Array} */
  pixels() {
    const { gl, size } = this;
    const upsideDown = new Uint8Array(4 * size * size);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(0, 0, size, size, gl.RGBA, gl.UNSIGNED_BYTE, upsideDown);
    const pixels = new Uint8Array(upsideDown.length);
    for (let row = 0; row < size; row += 1) {
      pixels.set(upsideDown.subarray(4 * size * row, 4 * size * (row + 1)), 4 * size * (size - 1 - row));
    }
    return pixels;
  }

  /** When the graphics card has done all that it was told. @returns {Promise<void>} */
  finished() {
    const { gl } = this;
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return new Promise((done) => {
      const look = () => {
        if (!sync || gl.clientWaitSync(sync, 0, 0) !== gl.TIMEOUT_EXPIRED) {
          gl.deleteSync(sync);
          done();
        } else setTimeout(look, 4);
      };
      look();
    });
  }

  /** Give everything back. */
  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** @param {number} size */
  makeRoom(size) {
    const { gl } = this;
    if (this.size === size) return;
    this.size = size;
    for (const texture of this.textures) gl.deleteTexture(texture);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.fields);
    this.textures = Array.from({ length: TARGETS }, (_, place) => {
      const texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, size, size);
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
        gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + place, gl.TEXTURE_2D, texture, 0);
      return texture;
    });
    gl.drawBuffers(this.textures.map((_, place) => gl.COLOR_ATTACHMENT0 + place));
  }

  /** @param {Face} face @param {Kind} kind */
  firstPass(face, kind) {
    const { gl } = this;
    const { program, at } = this.program("fields");
    gl.useProgram(program);
    this.setFace(at, face, kind);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.fields);
    gl.viewport(0, 0, this.size, this.size);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /**
   * @param {Face} face
   * @param {Kind | "masks"} kind
   * @param {WebGLFramebuffer | null} target
   * @param {[number, number]} corner
   * @param {boolean} upsideDown
   */
  secondPass(face, kind, target, [x, y], upsideDown) {
    const { gl } = this;
    const { program, at } = this.program(kind);
    gl.useProgram(program);
    this.setFace(at, face, kind === "masks" ? "portrait" : kind);
    this.textures.forEach((texture, place) => {
      gl.activeTexture(gl.TEXTURE0 + place);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.uniform1i(at[`uField${place}`], place);
    });
    gl.uniform1i(at.uUpsideDown, upsideDown ? 1 : 0);
    gl.uniform2i(at.uCorner, x, y);
    if (kind === "caricature") this.setPaints(at, face);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target);
    gl.viewport(x, y, this.size, this.size);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.activeTexture(gl.TEXTURE0);
  }

  /** @param {Built["at"]} at @param {Face} face @param {Kind} kind */
  setFace(at, face, kind) {
    const { gl } = this;
    const padded = new Float32Array(4 * Math.ceil(face.length / 4));
    padded.set(face);
    gl.uniform4fv(at.P, padded);
    gl.uniform1i(at.uSize, this.size);
    for (const [name, box] of Object.entries(boxes(this.parameters, face, kind, this.size)))
      gl.uniform4iv(at[name], box);
  }

  /** Colours along lists, which are the same for the whole picture. @param {Built["at"]} at @param {Face} face */
  setPaints(at, face) {
    const { gl, parameters } = this;
    const { inks, papers, prints } = parameters.data;
    /** @param {string} name */
    const value = (name) => face[parameters.at(name)];
    const [tint, other] = paperTints(papers, value("ground_phase"));
    gl.uniform3fv(at.uInk, along(inks, value("ink")));
    gl.uniform3fv(at.uPrint, along(prints, value("ground_phase")));
    gl.uniform3fv(at.uPaper, tint);
    gl.uniform3fv(at.uOther, other);
    gl.uniform1f(at.uBristle, meanBristle((48 * 2) / (this.size * value("scale"))));
  }

  /** @param {string} kind @returns {Built} */
  program(kind) {
    const known = this.built.get(kind);
    if (known) return known;
    const { gl } = this;
    const program = gl.createProgram();
    const shared = HEADER + defines(this.parameters) + GRID + GEOMETRY + HAIR;
    const source = shared + (kind === "fields" ? FIELDS : DISTANCES + PICTURES[kind]);
    for (const [type, text] of /** @type {[number, string][]} */ ([
      [gl.VERTEX_SHADER, CORNERS],
      [gl.FRAGMENT_SHADER, source],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(type));
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = (gl.getAttachedShaders(program) ?? []).map((shader) => gl.getShaderInfoLog(shader));
      console.warn(logs.join("\n"), gl.getProgramInfoLog(program));
      throw new Error("This browser's graphics driver cannot draw the faces; try another browser.");
    }
    const at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]));
    const built = { program, at };
    this.built.set(kind, built);
    return built;
  }
}

/** Each parameter's name as GLSL, and the package's constants. @param {Parameters} parameters */
function defines(parameters) {
  const { list, data } = parameters;
  const place = (/** @type {number} */ column) => `P[${column >> 2}].${"xyzw"[column & 3]}`;
  const lines = [`uniform vec4 P[${Math.ceil(list.length / 4)}];`];
  list.forEach(({ name }, column) => {
    lines.push(`#define p_${name} ${place(column)}`);
    if (name.endsWith("_r")) {
      lines.push(`#define c_${name.slice(0, -2)} vec3(${place(column)}, ${place(column + 1)}, ${place(column + 2)})`);
    }
  });
  for (const [name, value] of Object.entries(data.constants)) lines.push(`#define ${name} ${value.toFixed(8)}`);
  return `${lines.join("\n")}\n`;
}

/**
 * First and last column and line of each window, as `grid.window` finds them.
 * @param {Parameters} parameters
 * @param {Face} face
 * @param {Kind} kind
 * @param {number} size
 * @returns {Record<string, [number, number, number, number]>}
 */
export function boxes(parameters, face, kind, size) {
  /** @param {string} name */
  const p = (name) => face[parameters.at(name)];
  const turn = Math.sin(p("yaw"));
  const lift = 0.55 * p("pitch");
  const mouth = 0.5 * (p("nose_length") + p("mouth_height") * p("chin_length"));
  const halves = WINDOWS[kind];
  /** @type {Record<string, [number, number, number[]]>} */
  const windows =
    kind === "portrait"
      ? { uMouthBox: [0.74 * turn, mouth + 0.05 - lift, halves.mouth] }
      : { uMouthBox: [0.76 * turn, mouth + 0.02 - lift, halves.mouth] };
  windows.uFaceBox = [0, 0.02, halves.face];
  windows.uEyesBox = [0.72 * turn, p("eye_height") - 0.1 - lift, halves.eyes];
  windows.uGlassesBox = [0.62 * turn, p("eye_height") + 0.02 - 0.5 * p("pitch"), [0.96, 0.26]];
  const { scale, roll } = parameters.data.widest;
  const [cos, sin, own] = [Math.cos(p("roll")), Math.sin(p("roll")), p("scale")];
  return Object.fromEntries(
    Object.entries(windows).map(([name, [x, y, [wide, high]]]) => {
      const reach = [wide * Math.cos(roll) + high * Math.sin(roll), high * Math.cos(roll) + wide * Math.sin(roll)];
      const [width, height] = reach.map((length) => Math.min(size, Math.ceil(scale * length * size) + 2));
      const u = p("shift_x") + own * (cos * x - sin * y);
      const v = p("shift_y") + own * (sin * x + cos * y);
      const left = limited(toEven(((u + 1) * size) / 2 - width / 2), size - width);
      const top = limited(toEven(((v + 1) * size) / 2 - height / 2), size - height);
      return [name, [left, top, left + width - 1, top + height - 1]];
    }),
  );
}

/** @param {number} value @param {number} most */
const limited = (value, most) => Math.min(Math.max(value, 0), most);

/** The nearest integer, of two the even one, as torch rounds. @param {number} value */
function toEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** @param {Colour} from @param {Colour} to @param {number} share @returns {Colour} */
function mixed(from, to, share) {
  const [red, green, blue] = from.map((value, channel) => value + share * (to[channel] - value));
  return [red, green, blue];
}

/** The colour at `where`, 0 to 1, along a list of bytes; in [0, 1]. @param {Colour[]} colours @param {number} where */
export function along(colours, where) {
  const place = Math.min(Math.max(where, 0), 1) * (colours.length - 1);
  const first = Math.min(Math.trunc(place), colours.length - 2);
  return /** @type {Colour} */ (mixed(colours[first], colours[first + 1], place - first).map((byte) => byte / 255));
}

/** The paper's tint and its disc's: mostly one of the list or the next. @param {Colour[]} papers @param {number} phase */
function paperTints(papers, phase) {
  const place = phase * (papers.length - 1e-3);
  const first = Math.trunc(place);
  const t = Math.min(Math.max((place - first - 0.6) / 0.4, 0), 1);
  const share = t * t * (3 - 2 * t);
  return [0, 3].map((far) => {
    const [from, to] = [first + far, first + far + 1].map((number) => papers[number % papers.length]);
    return mixed(from, to, share).map((byte) => byte / 255);
  });
}

/** How dark a beard's bristles are on average, where their waves advance so fast per pixel. @param {number} perPixel */
function meanBristle(perPixel) {
  const strength = Math.min(Math.max((2.4 - perPixel) / 1.4, 0), 1);
  let sum = 0;
  for (let step = 0; step < 64; step += 1) {
    const t = Math.min(Math.max((strength * Math.sin((2 * Math.PI * (step + 0.5)) / 64) - 0.35) / 0.25, 0), 1);
    sum += t * t * (3 - 2 * t);
  }
  return sum / 64;
}
