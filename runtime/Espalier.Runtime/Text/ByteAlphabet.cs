using System.Text;

namespace Espalier.Text;

/// <summary>GPT-2's alphabet: each byte is written as one printable character, so that byte-level pieces are strings.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>Writes the UTF-8 bytes of a text in the alphabet. Lone surrogates are written as U+FFFD.</summary>
    public static string Write(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return string.Create(utf8.Length, utf8, static (characters, bytes) =>
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                characters[i] = Characters[bytes[i]];
            }
        });
    }

    /// <summary>The byte that a character stands for, or -1.</summary>
    public static int ByteOf(char c) => c < Bytes.Length ? Bytes[c] : -1;

    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        char next = '\u0100';
        for (int b = 0; b < 256; b++)
        {
            bool isPrintable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[b] = isPrintable ? (char)b : next++;
        }

        return characters;
    }

    private static short[] MakeBytes()
    {
        short[] bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int b = 0; b < 256; b++)
        {
            bytes[Characters[b]] = (short)b;
        }

        return bytes;
    }
}
