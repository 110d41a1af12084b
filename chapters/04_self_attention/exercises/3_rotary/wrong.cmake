wrong(not_rotated "      turn(p, Q);\n      turn(p, K);\n" "")
wrong(key_not_rotated "      turn(p, K);\n" "")
wrong(rotary_halves "+ 2 * pair + 1)" "+ pair + p.dim() / 2)" "+ 2 * pair)" "+ pair)")
wrong(rotated_backwards "std::sin(angle)" "-std::sin(angle)")
