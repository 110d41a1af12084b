wrong(last_tile "start < p.keys(); start" "start + tile_keys <= p.keys(); start")
wrong(stale_maximum "l *= correction" "" "output[c] *= correction" "(void)c")
wrong(stale_output "output[c] *= correction" "(void)c")
wrong(stale_sum "l *= correction" "")
wrong(no_scale "p.scale * dot" "dot")
wrong(transposed_value "value[j * value_dim + c]" "value[c * stride + j]" "const float* value, Index value_dim" "const float* value, Index stride, Index value_dim"
  "p.value_of(b, h) + start * p.value_dim(), p.value_dim()" "p.value_of(b, h) + start, p.keys(), p.value_dim()")
wrong(race "std::array<float, tile_keys> scores" "static std::array<float, tile_keys> scores")
