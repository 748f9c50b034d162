using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>All rows in one file that needs no database to be read: lines of JSON, gzipped, the last of which proves the others.</summary>
/// <remarks>The first line says what it is; each row has its table, key and value; the last line has their count and SHA-256.</remarks>
internal static class MetadataBackup
{
    private const int Format = 1;
    private const int MaxLineBytes = MetadataDb.MaxRowBytes + 4096;

    /// <summary>Writes <paramref name="tables"/> to <paramref name="path"/>, whole and on disk or not at all.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, IReadOnlyList<RowChange>>> tables, DateTimeOffset now)
    {
        using var file = PendingFile.Create(path, WholeFile.Private);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using (var gzip = new GZipStream(file.Stream, CompressionLevel.Fastest, leaveOpen: true))
            {
                var rows = 0L;
                Line(gzip, hash, json =>
                {
                    json.WriteNumber("metadataBackup", Format);
                    json.WriteString("createdAt", now);
                });
                foreach (var (table, all) in tables)
                {
                    foreach (var row in all)
                    {
                        rows++;
                        Line(gzip, hash, json =>
                        {
                            json.WriteString("table", table);
                            json.WriteString("key", row.Key);
                            json.WritePropertyName("row");
                            json.WriteRawValue(row.Value!.Value.Span, skipInputValidation: true);
                        });
                    }
                }

                Line(gzip, null, json =>
                {
                    json.WriteNumber("rows", rows);
                    json.WriteString("sha256", Convert.ToHexStringLower(hash.GetHashAndReset()));
                });
            }
        }
        catch (IOException failure)
        {
            throw IoErrors.From(failure, $"Writing the backup {Printable.Of(path)}");
        }

        file.Commit();
    }

    /// <summary>Reads a backup, all of it or nothing.</summary>
    /// <exception cref="ImageStoreException">It is damaged (<see cref="ErrorKind.CorruptData"/>), or of a later format (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static (DateTimeOffset CreatedAt, Dictionary<string, List<RowChange>> Tables) Read(string path)
    {
        Dictionary<string, List<RowChange>> tables = new(StringComparer.Ordinal);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (createdAt, rows) = (default(DateTimeOffset?), 0L);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            using var gzip = new GZipStream(file, CompressionMode.Decompress);
            foreach (var line in Lines(gzip))
            {
                using var json = JsonDocument.Parse(line);
                if (createdAt is null)
                {
                    createdAt = Head(json.RootElement, path);
                }
                else if (json.RootElement.TryGetProperty("sha256", out var expected))
                {
                    return expected.GetString() == Convert.ToHexStringLower(hash.GetHashAndReset()) && json.RootElement.GetProperty("rows").GetInt64() == rows
                        ? (createdAt.Value, tables)
                        : throw Damaged(path, null);
                }
                else
                {
                    rows++;
                    var table = json.RootElement.GetProperty("table").GetString()!;
                    (tables.TryGetValue(table, out var known) ? known : tables[table] = []).Add(new RowChange(
                        json.RootElement.GetProperty("key").GetString()!, Encoding.UTF8.GetBytes(json.RootElement.GetProperty("row").GetRawText())));
                }

                hash.AppendData(line);
            }

            throw Damaged(path, null);
        }
        catch (Exception failure) when (failure is JsonException or InvalidDataException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Damaged(path, failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Reading the backup {Printable.Of(path)}");
        }
    }

    private static DateTimeOffset Head(JsonElement head, string path) => head.GetProperty("metadataBackup").GetInt32() == Format
        ? head.GetProperty("createdAt").GetDateTimeOffset()
        : throw new ImageStoreException(
            ErrorKind.Unsupported, $"The backup {Printable.Of(path)} is of another format.", "Use the imagestore that wrote it, or a newer one.");

    private static void Line(Stream target, IncrementalHash? hash, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        hash?.AppendData(buffer.WrittenSpan);
        target.Write(buffer.WrittenSpan);
        target.WriteByte((byte)'\n');
    }

    private static IEnumerable<byte[]> Lines(Stream source)
    {
        var buffer = new byte[64 * 1024];
        using var line = new MemoryStream();
        for (int count; (count = source.Read(buffer)) > 0;)
        {
            for (var rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                line.Write(rest.Span[..(end < 0 ? rest.Length : end)]);
                if (line.Length > MaxLineBytes)
                {
                    throw new InvalidDataException("A line is too long.");
                }

                if (end < 0)
                {
                    break;
                }

                yield return line.ToArray();
                line.SetLength(0);
                rest = rest[(end + 1)..];
            }
        }
    }

    private static ImageStoreException Damaged(string path, Exception? cause) =>
        new(ErrorKind.CorruptData, $"The backup {Printable.Of(path)} is damaged.", "Use an older one.", cause);
}
