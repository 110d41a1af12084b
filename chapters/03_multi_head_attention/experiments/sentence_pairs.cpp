#include "experiments/sentence_pairs.hpp"

#include <array>

namespace attention::multi_head {

namespace {

constexpr bool alike = true;
constexpr bool unlike = false;

constexpr std::array<SentencePair, 32> pairs{{
    {"How old are you?", "What is your age?", alike},
    {"The shop closes at eight in the evening.", "The store is open until 8 pm.", alike},
    {"My brother bought a new car last week.", "A week ago my brother got himself a new automobile.", alike},
    {"It has been raining since this morning.", "The rain has not stopped all day.", alike},
    {"She forgot her keys at the office.", "Her keys are still lying at work.", alike},
    {"The doctor told him to stop smoking.", "He was advised by his physician to give up cigarettes.", alike},
    {"Can you tell me the way to the station?", "How do I get to the railway station?", alike},
    {"The film was so boring that we left early.", "We walked out before the end because the movie was dull.", alike},
    {"Prices for bread have doubled.", "Bread costs twice as much as before.", alike},
    {"The children are playing in the garden.", "Kids play outside in the yard.", alike},
    {"I could not sleep because of the noise.", "The noise kept me awake.", alike},
    {"Our team won the final by two goals.", "We were victorious in the last match, two goals ahead.", alike},
    {"This recipe needs three eggs and some milk.", "For this dish you use milk and three eggs.", alike},
    {"The bridge was closed for repairs.", "They shut the bridge in order to mend it.", alike},
    {"He speaks five languages fluently.", "He is a fluent speaker of five languages.", alike},
    {"Please send me the report by Friday.", "I need to have the report no later than Friday.", alike},
    {"The bank of the river was muddy.", "The bank raised its interest rates.", unlike},
    {"The dog bit the man.", "The man photographed a sunset with his new camera.", unlike},
    {"He plays the guitar in a small band.", "She wore a small gold band on her finger.", unlike},
    {"The bat flew out of the cave at night.", "He hit the ball with a wooden bat.", unlike},
    {"They will train for the race in spring.", "The train was late because of the snow.", unlike},
    {"The match went out in the wind.", "Forty thousand people watched the match.", unlike},
    {"Turn left at the second light.", "There was hardly any food left.", unlike},
    {"The crane lifted the steel beams.", "A crane was standing in the shallow water.", unlike},
    {"How old are you?", "The soup needs a little more salt.", unlike},
    {"My brother bought a new car last week.", "Whales breathe through a hole in the head.", unlike},
    {"The doctor told him to stop smoking.", "The mountain is covered with snow all year.", unlike},
    {"Prices for bread have doubled.", "The cat sleeps on the warm roof.", unlike},
    {"I could not sleep because of the noise.", "Copper is a good conductor of heat.", unlike},
    {"Please send me the report by Friday.", "Roses need sun and a deep soil.", unlike},
    {"The bridge was closed for repairs.", "Her grandmother taught her to knit.", unlike},
    {"Our team won the final by two goals.", "The moon has no air of its own.", unlike},
}};

}  // namespace

std::span<const SentencePair> sentence_pairs() { return pairs; }

}  // namespace attention::multi_head
