#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "tensor/compatibility.hpp"

namespace attention::tensor {

/// What a tensor keeps its elements in: memory of its own, unset at first, or memory that another lends it. Lent memory must outlive
/// the tensor, and those that it is moved to; a copy has memory of its own, and so has a tensor whose size is changed.
template <class T, class Allocator>
class Elements {
 public:
  using allocator_type = Allocator;
  using value_type = T;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  Elements() noexcept = default;
  explicit Elements(size_type size) : own_(size), first_(own_.data()), size_(size) {}
  Elements(size_type size, const T& value) : own_(size, value), first_(own_.data()), size_(size) {}
  template <std::input_iterator Iterator>
  Elements(Iterator first, Iterator last) : own_(first, last), first_(own_.data()), size_(own_.size()) {}
  /// `size` elements that `memory` holds.
  static Elements lent(T* memory, size_type size) noexcept {
    Elements elements;
    elements.first_ = memory;
    elements.size_ = size;
    return elements;
  }

  Elements(const Elements& other) : Elements(other.begin(), other.end()) {}
  Elements(Elements&& other) noexcept { swap(other); }
  Elements& operator=(const Elements& other) {
    if (this == &other) return *this;
    if (size_ != other.size_ || first_ != own_.data()) take(other.size_);  // what is lent is not written over
    std::copy(other.begin(), other.end(), begin());
    return *this;
  }
  Elements& operator=(Elements&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Elements() = default;

  void swap(Elements& other) noexcept {
    own_.swap(other.own_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }
  /// Elements are unset after it where the size changes.
  void resize(size_type size) {
    if (size != size_) take(size);
  }

  bool empty() const noexcept { return size_ == 0; }
  size_type size() const noexcept { return size_; }
  pointer data() noexcept { return first_; }
  const_pointer data() const noexcept { return first_; }
  reference operator[](size_type i) { return first_[i]; }
  const_reference operator[](size_type i) const { return first_[i]; }
  reference front() { return *first_; }
  const_reference front() const { return *first_; }
  reference back() { return first_[size_ - 1]; }
  const_reference back() const { return first_[size_ - 1]; }

  iterator begin() noexcept { return first_; }
  iterator end() noexcept { return first_ + size_; }
  const_iterator begin() const noexcept { return first_; }
  const_iterator end() const noexcept { return first_ + size_; }
  const_iterator cbegin() const noexcept { return first_; }
  const_iterator cend() const noexcept { return first_ + size_; }
  reverse_iterator rbegin() noexcept { return reverse_iterator(end()); }
  reverse_iterator rend() noexcept { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const noexcept { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const noexcept { return const_reverse_iterator(begin()); }
  const_reverse_iterator crbegin() const noexcept { return rbegin(); }
  const_reverse_iterator crend() const noexcept { return rend(); }

 private:
  void take(size_type size) {
    own_.resize(size);
    first_ = own_.data();
    size_ = size;
  }

  xt::uvector<T, Allocator> own_;
  pointer first_ = nullptr;
  size_type size_ = 0;
};

template <class T, class A>
bool operator==(const Elements<T, A>& a, const Elements<T, A>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}
template <class T, class A>
void swap(Elements<T, A>& a, Elements<T, A>& b) noexcept {
  a.swap(b);
}

}  // namespace attention::tensor
