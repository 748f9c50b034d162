using System.Text;
using CsCheck;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

public sealed class RowBlockTests
{
    private static readonly Gen<(string Key, byte[]? Value)[]> s_rows = Gen.Select(
        Gen.String[Gen.Char["abé/\0\uD7FF"], 0, 12], Gen.Byte.Array[0, 40].Null(0.2)).Array[0, 30];

    [Fact]
    public void Decode_OfWhatWasEncoded_IsTheSame() => s_rows.Sample(rows =>
    {
        var ordered = rows.DistinctBy(row => row.Key).OrderBy(row => row.Key, StringComparer.Ordinal).Select(Change).ToList();
        var decoded = RowBlock.Decode(RowBlock.Encode(ordered));
        return ordered.Select(Text).SequenceEqual(decoded.Select(Text));
    });

    [Fact]
    public void Decode_OfDamagedBytes_TellsOrGivesOtherRows() => Gen.Select(s_rows, Gen.Int[0, 2000], Gen.Byte).Sample(damage =>
    {
        var (rows, at, with) = damage;
        var bytes = RowBlock.Encode(rows.DistinctBy(row => row.Key).OrderBy(row => row.Key, StringComparer.Ordinal).Select(Change));
        if (bytes.Length > 0)
        {
            bytes[at % bytes.Length] = with;
        }

        try
        {
            RowBlock.Decode(bytes);
        }
        catch (InvalidDataException)
        {
            // The only exception that it may answer with.
        }
    });

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x7F })]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0, 5, 1 })]
    [InlineData(new byte[] { 0, 1, 65, 9, 1 })]
    [InlineData(new byte[] { 0xFF, 0x7F, 1, 65, 0 })]
    public void Decode_OfNoBlock_Tells(byte[] bytes) => Assert.Throws<InvalidDataException>(() => RowBlock.Decode(bytes));

    private static RowChange Change((string Key, byte[]? Value) row) =>
        row.Value is null ? RowChange.Gone(row.Key) : new RowChange(row.Key, row.Value);

    private static string Text(RowChange row) =>
        $"{row.Key}={(row.Value is { } value ? Convert.ToHexString(value.Span) : "gone")}/{Encoding.UTF8.GetByteCount(row.Key)}";
}
