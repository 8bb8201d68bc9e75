using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>AIM's merge before the decoder (Zhong et al., arXiv 2412.03248): every second token goes into the most similar one of the others, several times.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/Aim.md. What ranks tokens inside the decoder is a graph.</remarks>
public static class Aim
{
    /// <summary>Chooses the tokens that stay and writes the weights that make them of all.</summary>
    /// <remarks>
    /// In each halving the tokens at even places find the one at an odd place with the highest cosine, and all of them but the last of an odd number merge: a token that takes others in becomes
    /// the mean of itself and them, each counted once whatever it was made of before.
    /// </remarks>
    /// <param name="features">The tokens, row by row.</param>
    /// <param name="tokens">How many there are.</param>
    /// <param name="halvings">How often they are halved, at least once.</param>
    /// <param name="order">The order of what stays.</param>
    /// <param name="scratch">Eight floats a token and eight; with more than one halving, room for half of the features too, rounded upwards.</param>
    /// <param name="kept">Receives the token that each of those that stay stands for: the one that took others in.</param>
    /// <param name="weights">All zero. A row a token that stays, a column a token.</param>
    /// <returns>How many stay: half of the tokens, rounded upwards, again and again.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> features, int tokens, int halvings, AimOrder order, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        int numbers = 8 * (tokens + 1);
        int width = tokens > 0 ? features.Length / tokens : 0;
        int left = Left(tokens, halvings);
        if (width <= 0 || halvings <= 0 || width * tokens != features.Length || kept.Length < left || weights.Length < (long)left * tokens
            || scratch.Length < numbers + (halvings > 1 ? (long)((tokens + 1) / 2) * width : 0))
        {
            throw new ArgumentException($"{tokens} tokens cannot be halved {halvings} times into {kept.Length} with {features.Length} elements, {weights.Length} weights and {scratch.Length} floats of scratch.", nameof(tokens));
        }

        var merged = new Merged(scratch[..numbers], tokens);
        int rows = tokens;
        for (int halving = 0; halving < halvings; halving++)
        {
            ReadOnlySpan<float> metric = features;
            if (halving > 0)
            {
                Span<float> means = scratch.Slice(numbers, rows * width);
                merged.Average(features, means);
                metric = means;
            }

            rows = merged.Halve(metric, rows, order);
        }

        for (int token = 0; token < tokens; token++)
        {
            weights[(merged.Row[token] * tokens) + token] = merged.Share[token];
        }

        merged.Token[..rows].CopyTo(kept);
        return rows;
    }

    private static int Left(int tokens, int halvings)
    {
        for (int halving = 0; halving < halvings && tokens > 1; halving++)
        {
            tokens = (tokens + 1) / 2;
        }

        return tokens;
    }

    /// <summary>What the tokens have become so far, in scratch: the row that each is part of and its share of it, and the token that each row stands for.</summary>
    private readonly ref struct Merged
    {
        private readonly Span<float> _similarities;
        private readonly Span<int> _nearest;
        private readonly Span<int> _order;
        private readonly Span<float> _lengths;
        private readonly Span<int> _places;

        public Merged(Span<float> scratch, int tokens)
        {
            int even = (tokens + 1) / 2;
            Row = MemoryMarshal.Cast<float, int>(scratch[..tokens]);
            Share = scratch.Slice(tokens, tokens);
            Token = MemoryMarshal.Cast<float, int>(scratch.Slice(2 * tokens, tokens));
            _lengths = scratch.Slice(3 * tokens, tokens);
            _places = MemoryMarshal.Cast<float, int>(scratch.Slice(4 * tokens, tokens));
            _similarities = scratch.Slice(5 * tokens, even);
            _nearest = MemoryMarshal.Cast<float, int>(scratch.Slice((5 * tokens) + even, even));
            _order = MemoryMarshal.Cast<float, int>(scratch.Slice((5 * tokens) + (2 * even), even));
            for (int token = 0; token < tokens; token++)
            {
                Row[token] = token;
                Token[token] = token;
            }

            Share.Fill(1);
        }

        /// <summary>The row that a token is part of.</summary>
        public Span<int> Row { get; }

        /// <summary>Its share of that row.</summary>
        public Span<float> Share { get; }

        /// <summary>The token that a row stands for.</summary>
        public Span<int> Token { get; }

        /// <summary>The rows as they are now.</summary>
        public void Average(ReadOnlySpan<float> features, Span<float> means)
        {
            int width = features.Length / Row.Length;
            means.Clear();
            for (int token = 0; token < Row.Length; token++)
            {
                Span<float> mean = means.Slice(Row[token] * width, width);
                TensorPrimitives.MultiplyAdd(features.Slice(token * width, width), Share[token], mean, mean);
            }
        }

        /// <summary>Merges every even row but the last of an odd number into the odd row that is most similar.</summary>
        /// <returns>The rows that are left.</returns>
        public int Halve(ReadOnlySpan<float> metric, int rows, AimOrder order)
        {
            int odd = rows / 2;
            int even = rows - odd;
            if (odd == 0)
            {
                return rows;
            }

            BipartiteMatching.Match(metric, rows, protectFirst: false, _similarities[..even], _nearest[..even], _order[..even], _lengths);

            // At most one even row is left over: the one whose partner is least similar.
            int alone = even > odd ? 2 * _order[odd] : -1;
            int alonePlace = alone < 0 ? -1 : order == AimOrder.Relative ? alone / 2 : 0;
            for (int j = 0; j < odd; j++)
            {
                _places[(2 * j) + 1] = alone >= 0 && j >= alonePlace ? j + 1 : j;
            }

            for (int i = 0; i < even; i++)
            {
                _places[2 * i] = 2 * i == alone ? alonePlace : _places[(2 * _nearest[i]) + 1];
            }

            Rename(rows, alone);
            return even;
        }

        /// <summary>Follows the rows to their places, and divides the shares by how many rows meet there.</summary>
        private void Rename(int rows, int alone)
        {
            // The lengths and similarities of this halving are done with, so they hold the counts and the tokens of the places.
            Span<float> counts = _lengths[..rows];
            Span<int> tokens = MemoryMarshal.Cast<float, int>(_similarities);
            counts.Clear();
            for (int row = 0; row < rows; row++)
            {
                counts[_places[row]]++;
                if (row % 2 == 1 || row == alone)
                {
                    tokens[_places[row]] = Token[row];
                }
            }

            tokens[..((rows + 1) / 2)].CopyTo(Token);
            for (int token = 0; token < Row.Length; token++)
            {
                int place = _places[Row[token]];
                Share[token] /= counts[place];
                Row[token] = place;
            }
        }
    }
}
