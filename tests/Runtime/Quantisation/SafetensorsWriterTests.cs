using Espalier.Tests.Checkpoints;
using Microsoft.Win32.SafeHandles;
using Writer = Espalier.SafetensorsWriter;

namespace Espalier.Tests.Quantisation;

/// <summary>What the writer writes, the reader of hostile files accepts and finds.</summary>
public sealed class SafetensorsWriterTests
{
    private static readonly DeclaredTensor[] Tensors =
    [
        new("scales", TensorType.F32, [3]),
        new("empty", TensorType.I8, [0, 4]),
        new("integers \"quoted\" \\ ü", TensorType.I8, [3, 5]),
        new("pairs", TensorType.U8, [1, 1, 7]),
    ];

    [Fact]
    public void TheReaderFindsWhatWasWritten()
    {
        using var folder = new TemporaryFolder();
        KeyValuePair<string, string>[] placeholder = [new("made.from", "0000"), new("of", "something else")];
        KeyValuePair<string, string>[] metadata = [new("made.from", "abcd"), new("of", "\"weights\"")];
        using (SafeFileHandle file = File.OpenHandle(folder["a"], FileMode.CreateNew, FileAccess.ReadWrite))
        {
            var writer = new Writer(file, Tensors, placeholder);
            writer.Write("pairs", 0, [1, 2, 3]);
            writer.Write(Tensors[2].Name, 0, [.. Enumerable.Range(10, 15).Select(static i => (byte)i)]);
            writer.Write("scales", 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>([1.5f, 2.5f, 3.5f]));
            writer.Write("pairs", 3, [4, 5, 6, 7]);
            writer.Finish(metadata);
            Assert.Equal(writer.FileLength, RandomAccess.GetLength(file));
        }

        byte[] bytes = File.ReadAllBytes(folder["a"]);
        using SafeFileHandle written = File.OpenHandle(folder["a"]);
        SafetensorsContents contents = SafetensorsHeader.Read(written, bytes.Length, "a");
        Assert.Equal(metadata, contents.Metadata);

        // The reader sorts by place; a tensor without bytes shares its place with the next.
        Assert.Equal(Tensors.Select(static tensor => tensor.Name).Order(StringComparer.Ordinal), contents.Tensors.Select(static tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (DeclaredTensor declared in Tensors)
        {
            StoredTensor stored = contents.Tensors.Single(tensor => tensor.Name == declared.Name);
            Assert.Equal(declared.Type, stored.Type);
            Assert.Equal(declared.Shape, stored.Shape);
        }

        Assert.Equal(0, contents.Tensors[0].Begin % 64);
        Assert.Equal([1.5f, 2.5f, 3.5f], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Data("scales")).ToArray());
        Assert.Equal(Enumerable.Range(10, 15).Select(static i => (byte)i), Data(Tensors[2].Name).ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], Data("pairs").ToArray());

        ReadOnlySpan<byte> Data(string name)
        {
            StoredTensor tensor = contents.Tensors.Single(tensor => tensor.Name == name);
            return bytes.AsSpan((int)tensor.Begin, (int)(tensor.End - tensor.Begin));
        }
    }

    [Fact]
    public void AFileWithoutItsHeaderIsNone()
    {
        using var folder = new TemporaryFolder();
        using SafeFileHandle file = File.OpenHandle(folder["a"], FileMode.CreateNew, FileAccess.ReadWrite);
        var writer = new Writer(file, Tensors, []);
        writer.Write("pairs", 0, new byte[7]);
        Assert.Throws<MalformedHeaderException>(() => SafetensorsHeader.Read(file, RandomAccess.GetLength(file), "a"));
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        using var folder = new TemporaryFolder();
        using SafeFileHandle file = File.OpenHandle(folder["a"], FileMode.CreateNew, FileAccess.ReadWrite);
        var writer = new Writer(file, Tensors, [new("key", "")]);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write("pairs", 5, new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write("pairs", -1, new byte[3]));
        Assert.Throws<KeyNotFoundException>(() => writer.Write("other", 0, new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Finish([new("key", new string('x', 100))]));
        Assert.Throws<OverflowException>(() => new Writer(file, [new("large", TensorType.F32, [long.MaxValue / 8, 4])], []));
    }
}
