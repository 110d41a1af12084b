wrong(mask_ignored "p.keys_of(i)" "KeyRange{0, p.n()}")
wrong(mask_off_by_one "p.keys_of(i)" "KeyRange{std::max<Index>(0, i - p.mask.left - 1), i + 1}")
wrong(transposed_key "key[j * dim + c]" "key[c * n + j]" "KeyRange seen, Index dim," "KeyRange seen, Index dim, Index n," "p.keys_of(i), p.dim()," "p.keys_of(i), p.dim(), p.n(),")
wrong(maximum_from_zero "largest = -std::numeric_limits<float>::infinity()" "largest = 0")
