wrong(no_query "query.data() + i * p.hidden()" "std::vector<float>(static_cast<std::size_t>(p.hidden())).data()"
  "const float* a = " "const std::vector<float> zeros(static_cast<std::size_t>(p.hidden()));\n    const float* a = "
  "std::vector<float>(static_cast<std::size_t>(p.hidden())).data()" "zeros.data()")
wrong(lse_without_maximum "largest + std::log" "std::log")
wrong(base_two "std::exp(" "std::exp2(")
wrong(maximum_from_zero "= -std::numeric_limits<float>::infinity()" "= 0")
