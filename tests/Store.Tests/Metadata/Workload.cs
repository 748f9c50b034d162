using System.Globalization;
using System.Text;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Commits of all kinds, the same for the same seed.</summary>
internal sealed class Workload(MetadataDb db, Random random)
{
    private const int Names = 12;
    private const int BatchRows = 25;

    private readonly LeaseManager _leases = new(db, "default", TimeProvider.System);
    private readonly ImageCatalogue _images = new(db, "default", TimeProvider.System);

    /// <summary>Everything that the database holds, as text.</summary>
    public static string Dump(MetadataDb db)
    {
        var text = new StringBuilder();
        foreach (var (key, row) in db.List(StoreTables.Namespaces, string.Empty))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"namespace {key} {row.CreatedAt:O}");
        }

        foreach (var (key, row) in db.List(StoreTables.Images, string.Empty))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"image {key} {row.Target.Digest} {row.UpdatedAt:O} {Text(row.Labels)}");
        }

        foreach (var (key, row) in db.List(StoreTables.Content, string.Empty))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"content {key} {row.Size} {Text(row.Labels)}");
        }

        foreach (var (key, row) in db.List(StoreTables.Leases, string.Empty))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"lease {key} {row.CreatedAt:O} {Text(row.Labels)}");
        }

        foreach (var (key, row) in db.List(StoreTables.LeaseResources, string.Empty))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"resource {key} {row.Type} {row.Id}");
        }

        return text.ToString();
    }

    public static Descriptor Target(string text) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute(Encoding.UTF8.GetBytes(text)),
        Size = text.Length,
    };

    /// <summary>Does the <paramref name="number"/>-th commit.</summary>
    public async Task StepAsync(int number)
    {
        var name = $"docker.io/library/n{random.Next(Names)}:latest";
        var lease = $"l{random.Next(Names)}";
        try
        {
            await (random.Next(7) switch
            {
                0 or 1 => _images.PutAsync(name, Target($"{number}"), LabelsOf(number), default),
                2 => _images.RemoveAsync(name, default),
                3 => _leases.CreateAsync(lease, TimeSpan.FromHours(1), LabelsOf(number), default),
                4 => _leases.DeleteAsync(lease, default),
                5 => _leases.AddAsync(
                    new Lease("default", lease, default, Labels.None), new LeaseResource("content", $"{number}"), default),
                _ => BatchAsync(number),
            });
        }
        catch (ImageStoreException refused) when (refused.Kind is
            ErrorKind.NotFound or ErrorKind.AlreadyExists or ErrorKind.FailedPrecondition)
        {
            await new NamespaceCatalogue(db, [], _ => 0, TimeProvider.System).EnsureAsync($"n{number}", default);
        }
    }

    private static string Text(Dictionary<string, string> labels) =>
        string.Join(',', labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));

    /// <summary>One transaction over several tables and many pages.</summary>
    private Task BatchAsync(int number) => db.CommitAsync(
        tx =>
        {
            foreach (var (key, _) in tx.List(StoreTables.Content, "default/"))
            {
                tx.Delete(StoreTables.Content, key);
            }

            for (var i = 0; i < BatchRows; i++)
            {
                tx.Put(
                    StoreTables.Content,
                    $"default/{Target($"{number}.{i}").Digest}",
                    new ContentRow(number, LabelsOf(number + i), default, default));
            }

            tx.Put(StoreTables.Images, $"default/batch{number % 3}", new ImageRow(Target($"b{number}"), [], default, default));
        },
        default);

    private static Dictionary<string, string> LabelsOf(int number) =>
        new() { ["number"] = $"{number}", ["padding"] = new string('x', number * 137 % 2000) };
}
