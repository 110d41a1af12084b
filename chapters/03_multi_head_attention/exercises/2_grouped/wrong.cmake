wrong(wrong_key_head "h = g * group; h < (g + 1) * group; ++h" "h = g; h < p.heads(); h += p.key_heads()")
wrong(mask_ignored "p.causal ? i + 1 : p.n()" "p.n()")
wrong(mask_off_by_one "p.causal ? i + 1 : p.n()" "p.causal ? std::min(i + 2, p.n()) : p.n()")
wrong(maximum_from_zero "largest = -std::numeric_limits<float>::infinity()" "largest = 0")
