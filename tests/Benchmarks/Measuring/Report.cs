using System.Text;

namespace Espalier.Benchmarks.Measuring;

/// <summary>What a benchmark says: printed at once, and kept for the Markdown file.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a paragraph.</summary>
    public void Say(string paragraph) => Add(paragraph + "\n\n");

    /// <summary>Adds a heading.</summary>
    public void Head(string heading) => Add($"## {heading}\n\n");

    /// <summary>Adds a table.</summary>
    public void Add(MarkdownTable table) => Add(table + "\n");

    /// <summary>Writes everything that was said.</summary>
    public void Save(string file) => File.WriteAllText(file, _text.ToString().TrimEnd('\n') + "\n");

    private void Add(string text)
    {
        _text.Append(text);
        Console.Write(text);
    }
}
