set(buffer "std::vector<float> weights(static_cast<std::size_t>(p.keys()));")
wrong(race "        ${buffer}\n" "" "#pragma omp" "  ${buffer}\n#pragma omp")
wrong(mask_ignored "p.keys_of(i)" "KeyRange{0, p.keys()}")
wrong(mask_off_by_one "p.keys_of(i)" "[&] { Mask m = p.mask; if (m.right == 0) m.right = 1; return m.keys_of(i, p.keys()); }()")
wrong(mask_without_offset "p.keys_of(i)" "[&] { Mask m = p.mask; m.offset = 0; return m.keys_of(i, p.keys()); }()")
wrong(rows_left_over "for collapse(3)" "num_threads(threads)"
  "#pragma omp" "  const Index threads = omp_get_max_threads();\n#pragma omp"
  "i = 0; i < p.queries(); ++i" "i = omp_get_thread_num() * (p.queries() / threads); i < (omp_get_thread_num() + 1) * (p.queries() / threads); ++i"
  "#include <limits>" "#include <omp.h>\n#include <limits>"
  "const Index threads" "const int threads")
wrong(wrong_key_head "p.key_of(b, h)" "(p.key.data() + (b * p.key_heads() + h % p.key_heads()) * p.keys() * p.dim())"
  "p.value_of(b, h)" "(p.value.data() + (b * p.key_heads() + h % p.key_heads()) * p.keys() * p.value_dim())")
