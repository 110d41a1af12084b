#pragma once

#include <string>
#include <vector>

#include "autograd/layers.hpp"
#include "program/json.hpp"

namespace attention::convolutional {

using autograd::Linear;
using autograd::Parameter;
using autograd::ParameterList;
using autograd::Tape;
using autograd::Variable;
using tensor::Index;

/// The mechanisms of this chapter, as a network puts them in its blocks.
enum class ModuleKind { none, squeeze_excitation, efficient_channel, cbam, bam, coordinate, non_local };

inline constexpr ModuleKind all_module_kinds[] = {ModuleKind::none, ModuleKind::squeeze_excitation, ModuleKind::efficient_channel, ModuleKind::cbam,
                                                  ModuleKind::bam,  ModuleKind::coordinate,         ModuleKind::non_local};

/// "plain", "se", "eca", "cbam", "bam", "coordinate", "nonlocal".
std::string name_of(ModuleKind kind);

/// What a module did with a map, for those who want to look. A variable that its kind does not have is not set.
template <class Real>
struct Attended {
  Variable<Real> output;         ///< [batch, height, width, channels], as the input
  Variable<Real> channel_gates;  ///< [batch, channels], 0 to 1
  Variable<Real> place_gates;    ///< [batch, height, width], 0 to 1; of coordinate attention the mean over the channels
  Variable<Real> weights;        ///< [batch, places, places]: what each place looks at
};

/// One attention module that learns, for maps whose channels stand last, [batch, height, width, channels]:
///   squeeze-and-excitation (Hu, Shen and Sun 2018, equations 2 to 4), efficient channel attention (Wang et al. 2020, equation 7),
///   CBAM (Woo et al. 2018, equations 1 to 3; as in the authors' code, and not in the paper, what its 7 × 7 gives is normalised), BAM (Park et al. 2018, equations 1 to 4: the
///   branches are added, as in the paper), coordinate attention (Hou, Zhou and Feng 2021, equations 4 to 9, h-swish), non-local (Wang et al. 2018,
///   equation 6, embedded Gaussian, W_z = 0 at first).
/// Other batch normalisations inside them are left out: a bias stands for each.
template <class Real>
class AttentionModule {
 public:
  AttentionModule() = default;
  /// `reduction`: by how much the inner layers are narrower than the channels; at least 4 channels are left.
  AttentionModule(ModuleKind kind, Index channels, Index reduction, numerics::Random& random);

  Attended<Real> operator()(const Variable<Real>& x) const;
  void collect(const std::string& name, ParameterList<Real>& list);

  ModuleKind kind() const { return kind_; }
  /// BAM and the non-local block work on the sum of branch and shortcut, the others on the branch (as their papers place them).
  bool after_the_sum() const { return kind_ == ModuleKind::bam || kind_ == ModuleKind::non_local; }

 private:
  Attended<Real> gate_by_channels(const Variable<Real>& x, const Variable<Real>& scores) const;
  Variable<Real> channel_scores(const Variable<Real>& pooled) const;
  Attended<Real> efficient(const Variable<Real>& x) const;
  Attended<Real> cbam(const Variable<Real>& x) const;
  Attended<Real> bam(const Variable<Real>& x) const;
  Attended<Real> coordinate(const Variable<Real>& x) const;
  Attended<Real> non_local(const Variable<Real>& x) const;

  ModuleKind kind_ = ModuleKind::none;
  Index channels_ = 0;
  Linear<Real> narrow_, widen_;       ///< the small network of the channels; coordinate: the shared layer, and that of the rows
  Linear<Real> widen_columns_;        ///< coordinate
  Parameter<Real> kernel_;            ///< efficient: [1, k, 1, 1]; CBAM: [7, 7, 2, 1]
  Parameter<Real> kernel_scale_, kernel_shift_;  ///< CBAM: [1]
  Linear<Real> places_in_, places_out_;            ///< BAM: 1 × 1 convolutions to few channels, and to one
  Parameter<Real> places_first_, places_second_;   ///< BAM: [3, 3, few, few], dilation 4
  Parameter<Real> places_first_bias_, places_second_bias_;
  Linear<Real> theta_, phi_, g_, w_z_;             ///< non-local
};

/// A kernel [height, width, in, out], normal with variance 2 / (terms of a sum) (He et al. 2015, equation 10).
template <class Real>
Parameter<Real> convolution_kernel(Index height, Index width, Index in, Index out, numerics::Random& random);

extern template class AttentionModule<float>;
extern template class AttentionModule<double>;
extern template Parameter<float> convolution_kernel(Index, Index, Index, Index, numerics::Random&);
extern template Parameter<double> convolution_kernel(Index, Index, Index, Index, numerics::Random&);

}  // namespace attention::convolutional
