#!/usr/bin/env bash
# The programs as a user meets them: what they print where, and how they refuse.
# program_tests.sh BIN_FOLDER [SANITIZER]: prints a line a fault, and exits 1 where there was one.
set -u
bin=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 2
# shellcheck source=tests/shell_checks.sh
source "$root/tests/shell_checks.sh"

is_json() { # FILE EXPRESSION: Python on the parsed document `d`
  python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert eval(sys.argv[2])' "$1" "$2" 2>"$scratch/why" ||
    fault "JSON: not $2: $(tail -1 "$scratch/why")"
}

bench=("$bin/ladder_bench" bench)
small=(--shape heads=2,queries=40,dim=16 --seconds 0.001)

# What is there.
works "$bin/ladder_bench" --help
works "$bin/ladder_list" --help
works "$bin/ladder_list"
grep -q 'dot_product' "$scratch/out" || fault 'list does not show dot_product'
works "$bin/ladder_list" --json
is_json "$scratch/out" "d['schema'] == 1 and any(m['name'] == 'dot_product' for m in d['mechanisms'])"
is_json "$scratch/out" "all({'name','default','meaning'} <= set(k) for m in d['mechanisms'] for k in m['shape_keys'])"
is_json "$scratch/out" "all(r['idea'] for m in d['mechanisms'] for r in m['rungs'])"

# One JSON document on standard output and nothing else.
works "${bench[@]}" dot_product "${small[@]}" --threads 1,2 --rung fused,simd --json -
is_json "$scratch/out" "{'schema','machine','results'} <= set(d) and len(d['results']) == 4"
is_json "$scratch/out" "all(r['status'] == 'ok' and r['median_s'] > 0 and r['max_error'] <= r['error_bound'] for r in d['results'])"
is_json "$scratch/out" "all({'mechanism','rung','shape','threads','status','reason','median_s','spread_s','gflops','gbytes_per_s','roof_kind','roof_value','roof_share','peak_extra_bytes','max_error','checked_rows'} <= set(r) for r in d['results'])"
is_json "$scratch/out" "all({'batch':1,'heads':2,'kv_heads':2,'queries':40,'keys':40,'dim':16,'value_dim':16,'causal':0,'window':0,'kv_dtype':'float32'} == r['shape'] for r in d['results'])"
is_json "$scratch/out" "all(len(r['times_s']) == r['runs'] and r['cost']['flops'] > 0 for r in d['results'])"
is_json "$scratch/out" "d['settings']['seconds'] == 0.001 and d['machine']['threads']['cpus'] and 'pinned' in d['machine']['threads']"
# No library is held down, neither by the user's environment nor since it is older than the processor.
own_kernels="not d['machine']['openblas'] or 'avx2' not in d['machine']['extensions'] or d['machine']['openblas']['core'] != 'Prescott'"
is_json "$scratch/out" "$own_kernels"
cp "$scratch/out" "$scratch/written.json"
OPENBLAS_CORETYPE=Prescott works "${bench[@]}" dot_product "${small[@]}" --rung openblas --json -
is_json "$scratch/out" "$own_kernels"
cp "$scratch/written.json" "$scratch/out"
# What the program writes, compare reads.
cp "$scratch/out" "$scratch/written.json"
works python3 "$root/notebooks/compare.py" "$scratch/written.json" "$scratch/written.json" --json -
is_json "$scratch/out" "len(d['results']) == 4 and all(r['ratio'] == 1 and r['verdict'] in ('', 'few runs') for r in d['results']) and not d['differences']"
cp "$scratch/written.json" "$scratch/out"
if grep -qF "$(uname -n)" "$scratch/out" && [[ $(uname -n) != localhost ]]; then fault 'the result names the host'; fi
works "${bench[@]}" dot_product "${small[@]}" --rung fused --csv -
[[ $(wc -l <"$scratch/out") == 2 ]] || fault 'CSV has not two lines'
works "${bench[@]}" dot_product "${small[@]}" --rung fused --json "$scratch/result.json"
is_json "$scratch/result.json" "len(d['results']) == 1"

# The user's own tensors.
python3 - "$scratch" <<'PYTHON'
import struct, sys
def npy(name, shape, value=0.5):
    n = 1
    for s in shape: n *= s
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %r, }" % (tuple(shape),)
    header += ' ' * (63 - (len(header) + 10) % 64) + '\n'
    with open(sys.argv[1] + '/' + name, 'wb') as f:
        f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode())
        f.write(struct.pack('<%df' % n, *[(i * 37 % 11 - 5) * value for i in range(n)]))
npy('q.npy', (5, 8)); npy('k.npy', (7, 8)); npy('v.npy', (7, 3)); npy('k9.npy', (7, 9)); npy('flat.npy', (8,)); npy('none.npy', (0, 8))
PYTHON
works "${bench[@]}" dot_product --input "$scratch/q.npy,$scratch/k.npy,$scratch/v.npy" --seconds 0.001 --json -
is_json "$scratch/out" "d['results'][0]['shape'] == {'batch':1,'heads':1,'kv_heads':1,'queries':5,'keys':7,'dim':8,'value_dim':3,'causal':0,'window':0,'kv_dtype':'float32'}"
refuses 'dim' "${bench[@]}" dot_product --input "$scratch/q.npy,$scratch/k9.npy,$scratch/v.npy"
refuses 'dimension' "${bench[@]}" dot_product --input "$scratch/flat.npy,$scratch/k.npy,$scratch/v.npy"
refuses 'size 0' "${bench[@]}" dot_product --input "$scratch/none.npy,$scratch/k.npy,$scratch/v.npy"
refuses '2 were given' "${bench[@]}" dot_product --input "$scratch/q.npy,$scratch/k.npy"
refuses 'missing.npy' "${bench[@]}" dot_product --input "$scratch/missing.npy,$scratch/k.npy,$scratch/v.npy"
head -c 100 "$scratch/q.npy" >"$scratch/cut.npy"
refuses 'cut.npy' "${bench[@]}" dot_product --input "$scratch/cut.npy,$scratch/k.npy,$scratch/v.npy"
refuses 'leave out --shape' "${bench[@]}" dot_product "${small[@]}" --input "$scratch/q.npy,$scratch/k.npy,$scratch/v.npy"

# Other libraries beside the rungs; that they agree with the reference is tested elsewhere.
if [[ -x $bin/peers/peer_openblas && ${2-} != thread ]]; then
  works "${bench[@]}" dot_product "${small[@]}" --rung fused --threads 1,2 --peers=openblas --json -
  is_json "$scratch/out" "[r['rung'] for r in d['results']] == ['fused', 'peer:openblas'] * 2"
  is_json "$scratch/out" "all(r['status'] == 'ok' and 'OpenBLAS' in r['peer']['version'] for r in d['results'] if r['beside'])"
fi
refuses "no peer 'nonsense'" "${bench[@]}" dot_product "${small[@]}" --peers=nonsense
refuses 'not beside additive_backward' "${bench[@]}" additive_backward --peers

# The standard operators held against cases.
python3 - "$scratch/cases" <<'PYTHON'
import json, os, struct, sys
def npy(file, numbers):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % len(numbers)
    header += ' ' * (63 - (len(header) + 10) % 64) + '\n'
    with open(file, 'wb') as f:
        f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() + struct.pack('<%df' % len(numbers), *numbers))
def case(name, op, y):
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder)
    npy(folder + '/x.npy', [0, 0]); npy(folder + '/y.npy', y)
    described = {'dtype': 'float32', 'shape': [2]}
    with open(folder + '/case.json', 'w') as f:
        json.dump({'op': op, 'opset': 13, 'attributes': {}, 'inputs': ['x'], 'outputs': ['y'], 'tensors': {'x': described, 'y': described}}, f)
case('good/softmax', 'Softmax', [0.5, 0.5]); case('good/other', 'Nonsense', [0.5, 0.5]); case('bad/wrong', 'Softmax', [0.5, 0.6])
PYTHON
works "$bin/conformance" --help
works "$bin/conformance" "$scratch/cases/good"
[[ $(wc -l <"$scratch/out") == 4 && $(tail -n 1 "$scratch/out") == '1 passed, 0 failed, 1 skipped' ]] || fault "conformance prints: $(cat "$scratch/out")"
grep -q '^passed softmax (Softmax): worst error 0.* rungs plain simd$' "$scratch/out" || fault "conformance: a passed case reads: $(grep passed "$scratch/out")"
grep -q "^skipped other (Nonsense): .*'Nonsense'" "$scratch/out" || fault 'conformance: an unknown operator is not skipped by name'
"$bin/conformance" "$scratch/cases" >"$scratch/out" 2>"$scratch/err"
[[ $? == 1 && ! -s $scratch/err && $(tail -n 1 "$scratch/out") == '1 passed, 1 failed, 1 skipped' ]] || fault "conformance with a failed case: $(cat "$scratch/out" "$scratch/err")"
refuses 'there is no folder' "$bin/conformance" "$scratch/nonsense"
refuses 'is not a folder' "$bin/conformance" "$scratch/q.npy"
mkdir "$scratch/none"
refuses 'no case below' "$bin/conformance" "$scratch/none"
refuses '--help' "$bin/conformance"
refuses '--help' "$bin/conformance" --nonsense "$scratch/cases"
refuses '--help' "$bin/conformance" "$scratch/cases" "$scratch/cases"

# Slips.
refuses 'mechanism' "${bench[@]}" nonsense
refuses 'nonsense' "${bench[@]}" dot_product --rung nonsense
refuses 'no ' "${bench[@]}" dot_product --shape rows=3
refuses 'below 1' "${bench[@]}" dot_product --shape queries=0
refuses 'below 1' "${bench[@]}" dot_product --shape queries=-1
refuses 'smaller shape' "${bench[@]}" dot_product --shape queries=1000000000000
refuses 'smaller shape' "${bench[@]}" dot_product --shape queries=1000000000,keys=1000000000
refuses 'too large' "${bench[@]}" dot_product --shape queries=1000000000000000000000
refuses '--threads' "${bench[@]}" dot_product --threads 0
refuses '--threads' "${bench[@]}" dot_product --threads -1
refuses '--threads' "${bench[@]}" dot_product --threads 2x
refuses '--threads' "${bench[@]}" dot_product --threads 1000000
refuses '--help' "${bench[@]}" dot_product --nonsense
refuses '--help' "$bin/ladder_bench" nonsense
refuses '--help' "$bin/ladder_list" nonsense
refuses '--help' "$bin/ladder_bench"
refuses 'cannot' "${bench[@]}" dot_product "${small[@]}" --rung fused --json /nonsense/result.json
for chapter in "$bin"/[0-9][0-9]_*; do
  refuses '--threads' "$chapter" --threads 0 --results "$scratch/results"
  refuses '--help' "$chapter" --nonsense
  refuses 'cannot' "$chapter" --quick --results /proc/nonsense
  : >"$scratch/file"
  refuses 'file' "$chapter" --quick --results "$scratch/file"
  works "$chapter" --help
done
[[ ! -e $scratch/results ]] || fault 'a refused run left a folder behind'

# (A sanitizer's own handlers come before the program's where a limit on files is hit.)
if [[ -z ${2-} ]]; then
# A full disk leaves nothing half-written: a limit on the size of files stands for it.
(ulimit -f 4; refuses 'cannot write' "${bench[@]}" dot_product "${small[@]}" --threads 1,2 --json "$scratch/full.json" --csv "$scratch/full.csv" --quiet; exit "$faults") || faults=$((faults + 1))
[[ ! -e $scratch/full.json ]] || fault 'a half-written file is left'
[[ -z $(find "$scratch" -name '*.tmp.*') ]] || fault 'a temporary file is left'
fi

# Sentences: what is read, and what is said without a model.
embed=("$bin/embed" --data "$scratch/no_data")
printf '{"sentences": ["a"]}' >"$scratch/sentences.json"
works "$bin/embed" --help
refuses 'required' "$bin/embed"
refuses 'cannot open' "${embed[@]}" "$scratch/none.json"
refuses 'the sentence encoder is not there' "${embed[@]}" "$scratch/sentences.json"
for text in '{"sentences": ["a"' '[]' '{}' '{"sentences": "a"}' '' $'{"sentences": ["\xff"]}'; do
  printf '%s' "$text" >"$scratch/sentences.json"
  refuses '{"sentences": ["…", …]} is read' "${embed[@]}" "$scratch/sentences.json"
done
printf '{"sentences": ["a", 3]}' >"$scratch/sentences.json"
refuses 'sentence 2 is no text' "${embed[@]}" "$scratch/sentences.json"

# Sentences of one's own, with a made model: 20 MB in the form of the real one.
python3 - "$scratch/data/sentence_encoder" <<'PYTHON'
import array, json, os, random, sys
folder = sys.argv[1]
os.makedirs(folder)
random.seed(3)
some = [random.gauss(0, 1) for _ in range(4099)]  # a prime: rows differ
tensors = [('module/Embeddings_en', [10, 256], 0.5), ('Layer_0/AddTimingSignal/TimingSignal', [1, 128], 0.3)]
for layer, inputs in (('Layer_0', 256), ('Layer_1', 512)):
    name = 'Encode/' + layer + '/TransformerLayer/'
    tensors += [(name + 'layer_prepostprocess/layer_norm/layer_norm_scale', [inputs], 1), (name + 'layer_prepostprocess/layer_norm/layer_norm_bias', [inputs], .1),
                (name + 'qkv_transform_single/kernel', [1, 1, inputs, 3 * inputs], .08), (name + 'qkv_transform_single/bias', [3 * inputs], .1),
                (name + 'output_transform_single/kernel', [1, 1, inputs, 512], .05), (name + 'output_transform_single/bias', [512], .1),
                (name + 'FFN/layer_prepostprocess/layer_norm/layer_norm_scale', [512], 1), (name + 'FFN/layer_prepostprocess/layer_norm/layer_norm_bias', [512], .1),
                (name + 'FFN/conv1/Tensordot', [512, 1536], .04), (name + 'FFN/conv1/bias', [1536], .1),
                (name + 'FFN/conv2/Tensordot', [1536, 512], .03), (name + 'FFN/conv2/bias', [512], .1)]
    if inputs != 512: tensors += [(name + 'dense/kernel', [inputs, 512], .05), (name + 'dense/bias', [512], .1)]
tensors += [('Encoder_en/hidden_layers/tanh_layer_0/weights', [512, 512], .05), ('Encoder_en/hidden_layers/tanh_layer_0/bias', [512], .1)]
weights = []
with open(folder + '/shard', 'wb') as f:
    for name, shape, spread in tensors:
        n = 1
        for s in shape: n *= s
        scaled = array.array('f', [spread * x for x in some])
        (scaled * (n // len(scaled) + 1))[:n].tofile(f)
        weights.append({'name': name, 'shape': shape, 'dtype': 'float32'})
json.dump({'weightsManifest': [{'paths': ['shard'], 'weights': weights}]}, open(folder + '/model.json', 'w'))
json.dump([['?', 0], ['a', 0], ['b', 0], ['c', 0], ['d', 0], ['e', 0], ['\u2581', -1], ['x', -2]], open(folder + '/vocab.json', 'w'))
PYTHON
look=("$bin/04_self_attention" --data "$scratch/data" --results "$scratch/looked")
text=$scratch/looked/04_self_attention/text
works "${look[@]}" --text 'x xx' --text x --text '' --text $'x\tx\nx'
grep -q '^1  1\.000 ' "$scratch/out" || fault "--text prints no table: $(cat "$scratch/out")"
grep -qF 'x\x09x\x0ax' "$scratch/out" || fault '--text: a tab or a line break is not shown as one'
grep -q 'An empty sentence has no maps' "$scratch/out" || fault '--text: nothing is said of an empty sentence'
[[ $(find "$text" -name 'sentence_*.attention.json' -printf '%f ' | tr ' ' '\n' | sort | paste -s -d ' ') == *'sentence_1.attention.json sentence_2.attention.json sentence_4.attention.json' ]] ||
  fault "--text: the records are $(ls "$text")"
is_json "$text/sentence_1.attention.json" "d['layers'] == 2 and d['heads'] == 4 and d['keys']['labels'] == ['\u2581', 'x', '\u2581', 'x', 'x']"
is_json "$text/sentences.json" "[s['pieces'] for s in d['sentences']] == [5, 2, 0, 6] and d['sentences'][2]['record'] is None"
is_json "$text/sentences.json" "all(abs(d['similarities'][i][i] - 1) < 1e-5 and d['similarities'][i][j] == d['similarities'][j][i] for i in range(4) for j in range(4))"
is_json "$text/sentences.json" "abs(d['similarities'][0][1]) < 0.9999 and len(d['most_similar']) == 6"
is_json "$text/summary.json" "d['schema'] == 1 and d['mode'] == 'full'"
[[ $(ls "$scratch/looked/04_self_attention") == text ]] || fault "--text writes beside its folder: $(ls "$scratch/looked/04_self_attention")"
# The next call replaces all; the order of the sentences does not change what is written about them.
works "${look[@]}" --text "$(printf 'x%.0s' {1..300})"
grep -q 'Sentence 1 has more' "$scratch/out" || fault '--text: nothing is said of more than 128 pieces'
is_json "$text/sentences.json" "d['sentences'][0]['pieces'] == 301 and d['sentences'][0]['pieces_taken'] == 128"
[[ $(find "$text" -name 'sentence_*' | wc -l) == 2 ]] || fault "--text leaves records of an earlier call: $(ls "$text")"
# Standard input, and more than can be shown.
for ((i = 0; i < 300; ++i)); do printf 'x%.0s' $(seq $((1 + i % 37))) && echo; done >"$scratch/lines"
"${look[@]}" --text - <"$scratch/lines" >"$scratch/out" 2>"$scratch/err" || fault "--text - fails: $(cat "$scratch/err")"
[[ $(wc -l <"$scratch/out") -lt 120 ]] || fault "--text - prints $(wc -l <"$scratch/out") lines for 300 sentences"
for words in '(and 270 more' 'of the first 10 of 300 sentences' 'The most similar of all' 'Maps are written for the first 8 of 300 sentences'; do
  grep -qF -- "$words" "$scratch/out" || fault "--text - does not say '$words'"
done
is_json "$text/sentences.json" "len(d['sentences']) == 300 and len(d['similarities']) == 50 and d['most_similar'][0]['similarity'] > 0.99999"
refuses 'sentence 2 is not UTF-8' "${look[@]}" --text x --text $'\xff'
refuses 'no sentence' "${look[@]}" --text -
refuses '--help' "${look[@]}" --text
refuses 'the sentence encoder is not there' "$bin/04_self_attention" --data "$scratch/no_data" --results "$scratch/looked" --text x
refuses '--help' "$bin/02_dot_product_attention" --text x

# Chapter 5: the same sentences, drawn in every way.
draw=("$bin/05_visualising_attention" --data "$scratch/data" --results "$scratch/looked")
drawn=$scratch/looked/05_visualising_attention/text
works "${draw[@]}" --text 'x xx' --text '' --text x
is_json "$drawn/page.json" "[r['name'] for r in d['records']] == ['text_1', 'text_1_rollout', 'text_1_flow', 'text_3', 'text_3_rollout', 'text_3_flow']"
is_json "$drawn/texts.json" "all(len(t[k]) == len(t['pieces']) for t in d['texts'] for k in ('received', 'rollout', 'flow', 'leave_one_out'))"
is_json "$drawn/bertviz/text_1.tokens.json" "d['queries'] == d['keys'] == ['\u2581', 'x', '\u2581', 'x', 'x']"
grep -aq "'shape': (1, 4, 5, 5)" "$drawn/bertviz/text_1.layer_2.npy" || fault 'the export for bertviz has another shape'
! grep -q $'\033' "$scratch/out" || fault '05 --text prints colours where there is no terminal'
works "${draw[@]}" --text x
[[ ! -f $drawn/text_3.attention.json && ! -f $drawn/bertviz/text_1.layer_3.npy ]] || fault '05 --text leaves what an earlier call wrote'
printf '{}' >"$scratch/bad.evidence.json"
refuses 'field schema is missing' "${draw[@]}" --text x --evidence "$scratch/bad.evidence.json"
refuses 'nowhere.evidence.json' "${draw[@]}" --text x --evidence "$scratch/nowhere.evidence.json"
refuses 'sentence 1 is not UTF-8' "${draw[@]}" --text $'\xff'
refuses 'the sentence encoder is not there' "$bin/05_visualising_attention" --data "$scratch/no_data" --results "$scratch/looked" --text x
[[ -f $drawn/summary.json ]] || fault 'a refused 05 --text removes the results of the last one'
# Without any record, model or data, it says by name what is missing; a damaged record is refused.
works "$bin/05_visualising_attention" --data "$scratch/no_data" --results "$scratch/none_left" --quick
grep -q '^08_sequence_to_sequence has left no record' "$scratch/out" || fault '05 does not say which chapter has left no record'
is_json "$scratch/none_left/05_visualising_attention/quick/page.json" "len(d['missing']) == 7 and d['records'] == []"
mkdir -p "$scratch/none_left/04_self_attention"
printf '{"schema": 1, "title": 3}' >"$scratch/none_left/04_self_attention/a.attention.json"
"$bin/05_visualising_attention" --data "$scratch/no_data" --results "$scratch/none_left" --quick >"$scratch/out" 2>"$scratch/err"
[[ $? == 2 && $(wc -l <"$scratch/err") == 1 ]] || fault "05 takes a damaged record: $(cat "$scratch/err")"
grep -q 'field title is of type number' "$scratch/err" || fault "05 does not say what is wrong with a record: $(cat "$scratch/err")"

rm "$scratch/data/sentence_encoder/shard"
refuses 'shard' "${look[@]}" --text x
refuses 'shard' "$bin/03_multi_head_attention" --quick --data "$scratch/data" --results "$scratch/looked"
[[ -f $text/summary.json ]] || fault 'a refused --text removes the results of the last one'
mkdir -p "$scratch/data/text_direction"
printf 'no model' >"$scratch/data/text_direction/ch_ppocr_mobile_v2.0_cls_infer.onnx"
refuses 'cls_infer.onnx' "$bin/06_convolutional_attention" --quick --data "$scratch/data" --results "$scratch/looked"
rm -r "$scratch/data"

# The driver's side of it. (Nothing is installed, fetched or built: each is refused before.)
# Chapter 7's texts need what cannot be made here: one line says so, and nothing is written.
refuses 'knows no English' "$bin/07_recurrent_attention" --data "$scratch/no_data" --results "$scratch/read" --text 'a large feline'
[[ ! -e $scratch/read ]] || fault 'a text that could not be read left a folder behind'
refuses 'for chapter 04, 05 or 07 alone' "$root/course" run 02 --text x
refuses 'for chapter 04, 05 or 07 alone' "$root/course" run --text x
refuses 'for chapter 04, 05 or 07 alone' "$root/course" run 03 04 --text x
refuses '--text needs a value' "$root/course" run 04 --text
refuses '--text needs a value' "$root/course" run 04 --text --quick

# Words: each fault is told before anything is written.
say_word=("$bin/08_sequence_to_sequence" --data "$scratch/no_data" --results "$scratch/said")
refuses 'g2p_additive is not trained here' "${say_word[@]}" --word attention
refuses "holds more than the letters" "${say_word[@]}" --word att3ntion
refuses 'the word is empty' "${say_word[@]}" --word ''
refuses '--help' "${say_word[@]}" --word
refuses 'for chapter 08 alone' "$root/course" run 04 --word attention
refuses 'for chapter 08 alone' "$root/course" run --word attention
refuses '--word needs a value' "$root/course" run 08 --word

# Pictures: what is none is told before anything is written.
show=("$bin/06_convolutional_attention" --data "$scratch/no_data" --results "$scratch/shown")
printf 'P5\n2 2\n255\nabc' >"$scratch/short.pgm"
printf 'P5\n999999999999 2\n255\nabc' >"$scratch/wide.pgm"
printf 'P5\n0 2\n255\n' >"$scratch/none.pgm"
printf '\x89PNG\r\n\x1a\nabc' >"$scratch/short.png"
refuses '3 bytes of pixels, 2 × 2 take 4' "${show[@]}" --image "$scratch/short.pgm"
refuses 'its width is larger than' "${show[@]}" --image "$scratch/wide.pgm"
refuses '0 × 2 pixels' "${show[@]}" --image "$scratch/none.pgm"
refuses 'a damaged PNG file' "${show[@]}" --image "$scratch/short.png"
printf '\xff\xd8\xff\xe0abc' >"$scratch/short.jpg"
refuses 'a damaged JPEG file' "${show[@]}" --image "$scratch/short.jpg"
refuses 'no PNG, JPEG or PGM picture' "${show[@]}" --image "$0"
refuses 'cannot open' "${show[@]}" --image "$scratch/nothing.png"
[[ ! -e $scratch/shown ]] || fault 'a file that is no picture left a folder behind'
refuses 'for chapter 06 alone' "$root/course" run 04 --image x.png
refuses '--image needs a value' "$root/course" run 06 --image
refuses "no model 'nope'" "${say_word[@]}" --train nope

if ((faults)); then
  printf '%d faults\n' "$faults"
  exit 1
fi
echo 'no faults'
