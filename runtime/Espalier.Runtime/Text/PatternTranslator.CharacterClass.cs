namespace Espalier.Text;

/// <content>What stands in square brackets.</content>
internal sealed partial class PatternTranslator
{
    private void CharacterClass(bool foldCase)
    {
        _output.Append('[');
        if (!AtEnd && _pattern[_at] == '^')
        {
            _output.Append('^');
            _at++;
        }

        int begin = _at;
        while (true)
        {
            if (AtEnd)
            {
                throw Fail("a '[' has no ']'");
            }

            char c = _pattern[_at++];
            if (c == ']')
            {
                break;
            }

            if (c == '[' || (c == '&' && !AtEnd && _pattern[_at] == '&'))
            {
                throw Fail("nested classes, POSIX brackets and intersections are not supported in a class");
            }

            if (c == '\\' && !AtEnd && _pattern[_at] is 'p' or 'P' or 's' or 'S' or 'd' or 'D' or 'w')
            {
                char kind = _pattern[_at];
                if (kind is 'p' or 'P')
                {
                    _output.Append(Category());
                }
                else
                {
                    _at++;
                    _output.Append(kind == 'w' ? WordClass : $"\\{kind}");
                }

                continue;
            }

            Range(c, foldCase);
        }

        if (_at - 1 == begin)
        {
            throw Fail("a class is empty");
        }

        _output.Append(']');
    }

    private void Range(char c, bool foldCase)
    {
        char first = ClassCharacter(c);
        char last = first;
        if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
        {
            _at++;
            c = _pattern[_at++];
            last = ClassCharacter(c == '[' ? throw Fail("a range ends in '['") : c);
            if (last < first)
            {
                throw Fail($"the range U+{(int)first:X4} to U+{(int)last:X4} runs backwards");
            }
        }

        Name(first, last);
        Append(first);
        if (last != first)
        {
            _output.Append('-');
            Append(last);
        }

        if (foldCase)
        {
            RefuseFolding(last, foldCase);
            for (char letter = 'a'; letter <= 'z'; letter++)
            {
                char upper = (char)(letter - 32);
                if ((letter >= first && letter <= last) || (upper >= first && upper <= last))
                {
                    _output.Append(letter).Append(upper);
                }
            }
        }
    }

    private char ClassCharacter(char c)
    {
        if (c != '\\')
        {
            return c;
        }

        return AtEnd ? throw Fail("the pattern ends in a backslash") : EscapedCharacter();
    }
}
