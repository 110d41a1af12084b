#pragma once

namespace attention::ladder {

/// What a problem costs whoever computes it: the work that no rung can avoid, from which the roof over the ladder follows.
struct Cost {
  double flops = 0;        ///< float32 additions and multiplications of the products, a multiply-add counted as two
  double bytes = 0;        ///< every input read once, every output written once
  double exps = 0;         ///< exponentials
  double reciprocals = 0;  ///< divisions that cannot be shared

  /// The cost of a part of the problem.
  friend Cost operator*(Cost c, double part) {
    return {c.flops * part, c.bytes * part, c.exps * part, c.reciprocals * part};
  }
};

}  // namespace attention::ladder
