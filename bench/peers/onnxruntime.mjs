// The peer "onnxruntime": ONNX Runtime's attention operators, MultiHeadAttention and GroupQueryAttention, each in a model of
// one node that is written here; for multi-head attention, Attention, which projects by itself, or MatMul and MultiHeadAttention,
// and a MatMul with W_O. Where more than one way computes the problem the faster is taken, found by a short trial.
//
// onnxruntime.mjs NODE_MODULES speaks the lines of JSON that bench/peer_process.hpp describes. Inputs are put into the
// operators' layout [batch, n, heads · dim] before any time is taken. Operator times come from the library's own profiler.
import {readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';

class Unsupported extends Error {}

// ---- A model as protobuf bytes: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the field numbers.

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value));; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const message = (field, ...parts) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(field << 3 | 2), varint(content.length), content]);
};
const text = (field, value) => message(field, Buffer.from(value));
function float(field, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(field << 3 | 5), bytes]);
}

const FLOAT = 1, INT32 = 6;
const attribute = (name, value, isFloat) =>
  isFloat ? message(5, text(1, name), float(2, value), number(20, 1)) : message(5, text(1, name), number(3, value), number(20, 2));
const tensorInfo = (field, name, type, dims) =>
  message(field, text(1, name), message(2, message(1, number(1, type), message(2, ...dims.map((dim) => message(1, number(1, dim)))))));

// inputs, outputs: names; an input '' stands for one that is left out. attributes: already as bytes.
const node = (operator, domain, inputs, outputs, ...attributes) =>
  message(1, ...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(3, `${operator} to ${outputs[0]}`),
    text(4, operator), ...attributes, text(7, domain));
const integerAttributes = (integers) => Object.entries(integers).map(([name, value]) => attribute(name, value, false));
// A constant of the model: [name, values, dims].
const constant = ([name, values, dims]) => message(5, ...dims.map((dim) => number(1, dim)), number(2, FLOAT), text(8, name),
  message(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)));

// inputs, outputs: [name, type, dims]; null stands for one that is left out.
function modelOf(nodes, inputs, outputs, constants = []) {
  const infos = (field, all) => all.filter(Boolean).map(([name, type, dims]) => tensorInfo(field, name, type, dims));
  const graph = message(7, ...nodes, text(2, 'attention'), ...constants.map(constant), ...infos(11, inputs), ...infos(12, outputs));
  const operators = (domain, version) => message(8, text(1, domain), number(2, version));
  return Buffer.concat([number(1, 8), graph, operators('', 17), operators('com.microsoft', 1)]);
}

function oneNodeModel(operator, inputs, outputs, integers, scale) {
  const names = (all) => all.map((info) => (info ? info[0] : ''));
  return modelOf([node(operator, 'com.microsoft', names(inputs), names(outputs), ...integerAttributes(integers), attribute('scale', scale, true))],
    inputs, outputs);
}

// ---- Arrays.

function readNpy(file) {
  const bytes = readFileSync(file);
  const start = bytes[6] === 1 ? 10 + bytes.readUInt16LE(8) : 12 + bytes.readUInt32LE(8);
  if (!bytes.subarray(0, start).includes("'descr': '<f4'")) throw new Error(`${file} is not float32`);
  const values = new Float32Array((bytes.length - start) / 4);
  Buffer.from(values.buffer).set(bytes.subarray(start));
  return values;
}

function writeNpy(file, values, shape) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}, ), }`;
  header += ' '.repeat(63 - (header.length + 10) % 64) + '\n';
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  writeFileSync(file, Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
}

// [batch, first, second, row] to [batch, second, first, row].
function swapped(values, batch, first, second, row) {
  const result = new Float32Array(values.length);
  for (let b = 0, from = 0; b < batch; ++b)
    for (let i = 0; i < first; ++i)
      for (let j = 0; j < second; ++j, from += row) result.set(values.subarray(from, from + row), ((b * second + j) * first + i) * row);
  return result;
}

// ---- The ways.

class Problem {
  constructor({folder, shape, threads, copies}) {
    this.batch = shape.batch ?? 1;
    this.heads = shape.heads ?? 1;
    this.kvHeads = shape.kv_heads ?? this.heads;
    this.queries = shape.queries;
    this.keys = shape.keys ?? this.queries;
    this.dim = shape.dim;
    this.valueDim = shape.value_dim ?? this.dim;
    this.window = shape.window ?? 0;
    this.causal = Boolean(shape.causal) && this.queries > 1;
    this.threads = threads;
    this.copies = copies;
    this.scale = 1 / Math.sqrt(this.dim);
    if (shape.kv_dtype) throw new Unsupported('keys and values of 16 bits');
    if (shape.causal && this.queries > this.keys) throw new Unsupported('more queries than keys');
    if (this.window && !shape.causal) throw new Unsupported('a window without causality');
    [this.query, this.key, this.value] = ['query', 'key', 'value'].map((name) => readNpy(join(folder, `${name}.npy`)));
    this.queryRows = this.rows(this.query, this.heads, this.queries, this.dim);
  }
  ways() {
    return [() => multiHead(this, false), () => multiHead(this, true), () => groupQuery(this)];
  }
  answerOf(output) {
    const {batch, heads, queries, valueDim} = this;
    return [swapped(output.data, batch, queries, heads, valueDim), [batch, heads, queries, valueDim]];
  }
  // [batch, heads, n, dim] as the operators want it: [batch, n, heads · dim].
  rows(values, heads, n, dim) {
    return swapped(values, this.batch, heads, n, dim);
  }
}

// The columns of all heads side by side: [heads, width, dim] becomes columns `first` … of [width, columns].
function sideBySide(values, heads, width, dim, to, columns, first) {
  for (let h = 0, from = 0; h < heads; ++h)
    for (let w = 0; w < width; ++w, from += dim) to.set(values.subarray(from, from + dim), w * columns + first + h * dim);
}

class MultiHeadProblem {
  constructor({folder, shape, threads, copies}) {
    this.batch = shape.batch ?? 1;
    this.n = shape.n;
    this.width = shape.width;
    this.heads = shape.key_heads;
    this.dim = shape.dim;
    this.causal = Boolean(shape.causal);
    this.threads = threads;
    this.copies = copies;
    if ((shape.group ?? 1) !== 1) throw new Unsupported('grouped heads');
    const read = (name) => readNpy(join(folder, `${name}.npy`));
    const {heads, width, dim} = this;
    this.input = read('input');
    this.inner = heads * dim;
    this.parts = ['W_Q', 'W_K', 'W_V'].map((name) => {
      const part = new Float32Array(width * this.inner);
      sideBySide(read(name), heads, width, dim, part, this.inner, 0);
      return part;
    });
    this.inward = new Float32Array(width * 3 * this.inner);
    ['W_Q', 'W_K', 'W_V'].forEach((name, m) => sideBySide(read(name), heads, width, dim, this.inward, 3 * this.inner, m * this.inner));
    this.outward = read('W_O');
  }
  ways() {
    return [() => projectingAttention(this), () => projectedMultiHead(this)];
  }
  answerOf(output) {
    return [output.data, [this.batch, this.n, this.width]];
  }
}

// The model of both ways: from X to the heads' outputs by `nodes`, then a MatMul with W_O.
function multiHeadWay(p, name, nodes, constants) {
  const shape = [p.batch, p.n, p.width];
  const model = modelOf([...nodes, node('MatMul', '', ['heads', 'W_O'], ['output'])], [['input', FLOAT, shape]], [['output', FLOAT, shape]],
    [...constants, ['W_O', p.outward, [p.inner, p.width]]]);
  return {name, model, turn: () => ({feeds: {input: tensor(p.input.slice(), shape)}, fetches: ['output']})};
}

const multiHeadAttributes = (p) => integerAttributes({num_heads: p.heads, ...(p.causal ? {unidirectional: 1} : {})});

function projectingAttention(p) {
  return multiHeadWay(p, 'Attention, MatMul',
    [node('Attention', 'com.microsoft', ['input', 'W', 'no_bias'], ['heads'], ...multiHeadAttributes(p))],
    [['W', p.inward, [p.width, 3 * p.inner]], ['no_bias', new Float32Array(3 * p.inner), [3 * p.inner]]]);
}

function projectedMultiHead(p) {
  const names = ['query', 'key', 'value'];
  return multiHeadWay(p, 'MatMul, MultiHeadAttention, MatMul',
    [...names.map((name) => node('MatMul', '', ['input', `W_${name}`], [name])),
      node('MultiHeadAttention', 'com.microsoft', names, ['heads'], ...multiHeadAttributes(p))],
    names.map((name, m) => [`W_${name}`, p.parts[m], [p.width, p.inner]]));
}

function multiHead(p, wideKeys) {
  if (p.kvHeads !== p.heads) throw new Unsupported('grouped heads');
  if (p.window || (p.causal && p.queries !== p.keys)) throw new Unsupported('such a mask');
  const {batch, heads, queries, keys, dim, valueDim} = p;
  const keyShape = wideKeys ? [batch, heads, keys, dim] : [batch, keys, heads * dim];
  const valueShape = wideKeys ? [batch, heads, keys, valueDim] : [batch, keys, heads * valueDim];
  const queryInfo = ['query', FLOAT, [batch, queries, heads * dim]];
  const integers = {num_heads: heads, ...(p.causal ? {unidirectional: 1} : {})};
  const model = oneNodeModel('MultiHeadAttention', [queryInfo, ['key', FLOAT, keyShape], ['value', FLOAT, valueShape]],
    [['output', FLOAT, [batch, queries, heads * valueDim]]], integers, p.scale);
  const key = wideKeys ? p.key : p.rows(p.key, heads, keys, dim);
  const value = wideKeys ? p.value : p.rows(p.value, heads, keys, valueDim);
  const turn = () => ({
    feeds: {query: tensor(p.queryRows, queryInfo[2]), key: tensor(key.slice(), keyShape), value: tensor(value.slice(), valueShape)},
    fetches: ['output']});
  return {name: `MultiHeadAttention, K and V as [batch, ${wideKeys ? 'heads, n, dim' : 'n, heads · dim'}]`, model, turn};
}

// Keys before the first query are a cache that the operator extends in place.
function groupQuery(p) {
  const {batch, heads, kvHeads, queries, keys, dim, valueDim} = p;
  if (valueDim !== dim) throw new Unsupported('value_dim ≠ dim');
  if (!p.causal && queries > 1) throw new Unsupported('no mask');
  const past = keys - queries;
  const newKey = new Float32Array(batch * kvHeads * queries * dim), newValue = new Float32Array(newKey.length);
  for (const [from, to] of [[p.key, newKey], [p.value, newValue]])
    for (let head = 0; head < batch * kvHeads; ++head)
      to.set(from.subarray((head * keys + past) * dim, (head + 1) * keys * dim), head * queries * dim);
  const wide = [batch, queries, kvHeads * dim], cache = [batch, kvHeads, keys, dim];
  const inputs = [['query', FLOAT, [batch, queries, heads * dim]], ['key', FLOAT, wide], ['value', FLOAT, wide],
    past ? ['past_key', FLOAT, cache] : null, past ? ['past_value', FLOAT, cache] : null,
    ['seqlens_k', INT32, [batch]], ['total_sequence_length', INT32, [1]]];
  const outputs = [['output', FLOAT, [batch, queries, heads * dim]], ['present_key', FLOAT, cache], ['present_value', FLOAT, cache]];
  const integers = {num_heads: heads, kv_num_heads: kvHeads, ...(p.window ? {local_window_size: p.window} : {})};
  const model = oneNodeModel('GroupQueryAttention', inputs, outputs, integers, p.scale);
  const key = p.rows(newKey, kvHeads, queries, dim), value = p.rows(newValue, kvHeads, queries, dim);
  const turn = () => {
    const presentKey = tensor(p.key.slice(), cache), presentValue = tensor(p.value.slice(), cache);
    return {
      feeds: {query: tensor(p.queryRows, inputs[0][2]), key: tensor(key, wide), value: tensor(value, wide),
        ...(past ? {past_key: presentKey, past_value: presentValue} : {}),
        seqlens_k: tensor(new Int32Array(batch).fill(keys - 1), [batch]), total_sequence_length: tensor(Int32Array.of(keys), [1])},
      fetches: {output: null, present_key: presentKey, present_value: presentValue}};
  };
  return {name: `GroupQueryAttention${past ? `, ${past} keys in its cache` : ''}`, model, turn};
}

// ---- Sessions.

let ort;
const tensor = (values, dims) => new ort.Tensor(values instanceof Float32Array ? 'float32' : 'int32', values, dims);

// The processors that this process may use.
function ownCpus() {
  const list = /Cpus_allowed_list:\s*(.*)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((range) => {
    const [first, last] = range.split('-').map(Number);
    return Array.from({length: (last ?? first) - first + 1}, (_, i) => first + i);
  });
}

function session(model, threads, profile) {
  const cpus = ownCpus();
  // The calling thread works too; the others are pinned, counted from 1 here.
  const pinned = Array.from({length: threads - 1}, (_, i) => cpus[(i + 1) % cpus.length] + 1).join(';');
  return ort.InferenceSession.create(model, {
    executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential',
    graphOptimizationLevel: 'all', logSeverityLevel: 3, ...(profile ? {enableProfiling: true, profileFilePrefix: profile} : {}),
    // Threads may wait for each other by spinning within a run, and sleep when it ends.
    extra: {session: {force_spinning_stop: '1', ...(pinned ? {intra_op_thread_affinities: pinned} : {})}}});
}

async function secondsOf(work) {
  const start = process.hrtime.bigint();
  const result = await work();
  return [Number(process.hrtime.bigint() - start) * 1e-9, result];
}

// The way with the shortest run.
async function choose(p) {
  const ways = [];
  let reason;
  for (const make of p.ways()) {
    try {
      const way = make();
      way.session = await session(way.model, p.threads);
      way.first = way.turn();
      way.best = Infinity;
      await way.session.run(way.first.feeds, way.first.fetches);
      ways.push(way);
    } catch (error) {
      reason = error;
    }
  }
  if (!ways.length) throw new Unsupported(reason.message.split('\n')[0]);
  for (let round = 0; round < 3; ++round) {
    for (const way of ways) {
      const [seconds] = await secondsOf(() => way.session.run(way.first.feeds, way.first.fetches));
      way.best = Math.min(way.best, seconds);
    }
  }
  ways.sort((a, b) => a.best - b.best);
  for (const way of ways) await way.session.release();
  return ways[0];
}

const problems = {dot_product: Problem, multi_head: MultiHeadProblem};

class Server {
  async answer(question) {
    if (question.open) return this.open(question.open);
    if (question.run) return this.run(question.run);
    if (question.answer) {
      writeNpy(question.answer, ...this.problem.answerOf(this.output));
      return {answer: question.answer};
    }
    if (question.finish) return this.finish();
    throw new Error('an unknown question');
  }

  async open(how) {
    try {
      const mechanism = how.mechanism ?? 'dot_product';
      if (!problems[mechanism]) throw new Unsupported(`not ${mechanism}`);
      this.problem = new problems[mechanism](how);
      const way = await choose(this.problem);
      this.turns = [way.first, ...Array.from({length: how.copies - 1}, () => way.turn())];
      this.profile = {folder: how.folder, prefix: `profile.${process.pid}`};
      this.session = await session(way.model, how.threads, join(how.folder, this.profile.prefix));
      this.next = 0;
      this.runs = 0;
      return {ready: true, version: `ONNX Runtime ${version}`, kernel: way.name, threads: how.threads, copies: how.copies};
    } catch (error) {
      if (error instanceof Unsupported) return {unsupported: error.message};
      throw error;
    }
  }

  async run(runs) {
    const seconds = [];
    for (let i = 0; i < runs; ++i) {
      const {feeds, fetches} = this.turns[this.next++ % this.turns.length];
      this.output?.dispose();
      const [time, results] = await secondsOf(() => this.session.run(feeds, fetches));
      seconds.push(time);
      ++this.runs;
      this.output = results.output;
    }
    return {seconds};
  }

  finish() {
    this.session.endProfiling();
    const {folder, prefix} = this.profile;
    const file = join(folder, readdirSync(folder).find((name) => name.startsWith(prefix)));
    const events = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    // Microseconds of all nodes of a run, one run after the other.
    const kernels = events.filter((event) => event.cat === 'Node' && event.name.endsWith('_kernel_time'));
    const nodes = kernels.length / this.runs;
    if (!Number.isInteger(nodes)) throw new Error('the profile does not hold every node of every run');
    return {operator_seconds: Array.from({length: this.runs}, (_, run) =>
      kernels.slice(run * nodes, (run + 1) * nodes).reduce((sum, event) => sum + event.dur * 1e-6, 0))};
  }
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
let version;
try {
  const require = createRequire(join(resolve(process.argv[2]), 'x.js'));
  ort = require('onnxruntime-node');
  version = require('onnxruntime-node/package.json').version;
} catch (error) {
  say({unsupported: `${error.message.split('\n')[0]}; ./course setup --peers`});
  process.exit();
}
const server = new Server();
for await (const line of createInterface({input: process.stdin})) {
  try {
    say(await server.answer(JSON.parse(line)));
  } catch (error) {
    say({fault: `${error.name}: ${error.message}`.split('\n')[0]});
  }
}
