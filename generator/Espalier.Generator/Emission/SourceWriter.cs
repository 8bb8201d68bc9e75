using System;
using System.Text;

namespace Espalier.Emission;

/// <summary>Writes indented lines that end with a line feed on every platform.</summary>
internal sealed class SourceWriter
{
    private const string Indentation = "    ";
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Writes one line; an empty one stays empty.</summary>
    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            for (int i = 0; i < _depth; i++)
            {
                _text.Append(Indentation);
            }

            _text.Append(line);
        }

        _text.Append('\n');
    }

    /// <summary>Writes several lines, given with line feeds between them, each behind a prefix.</summary>
    public void Lines(string lines, string prefix = "")
    {
        foreach (string line in lines.TrimEnd('\n').Split('\n'))
        {
            Line((prefix + line).TrimEnd());
        }
    }

    /// <summary>Opens a braced block; disposing the result closes it.</summary>
    /// <param name="header">The line before the brace; none if empty.</param>
    public Block Open(string header = "")
    {
        if (header.Length > 0)
        {
            Line(header);
        }

        Line("{");
        _depth++;
        return new Block(this, "}");
    }

    /// <summary>Indents what follows without a brace; disposing the result goes back.</summary>
    /// <param name="header">The line before.</param>
    public Block Indent(string header)
    {
        Line(header);
        _depth++;
        return new Block(this, end: null);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>An open block.</summary>
    public readonly struct Block : IDisposable
    {
        private readonly SourceWriter _writer;
        private readonly string? _end;

        public Block(SourceWriter writer, string? end)
        {
            _writer = writer;
            _end = end;
        }

        public void Dispose()
        {
            _writer._depth--;
            if (_end is not null)
            {
                _writer.Line(_end);
            }
        }
    }
}
