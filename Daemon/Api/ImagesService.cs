using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;
using V1 = ImageStore.Daemon.Protocol.ImagesV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.images.v1</c>.</summary>
internal sealed class ImagesService(ServedStore store, Tenants tenants, EventHub events) : V1.Images.ImagesBase
{
    public override Task<V1.GetImageResponse> Get(V1.GetImageRequest request, ServerCallContext context) => Task.FromResult(
        new V1.GetImageResponse
        {
            Image = ToWire(tenants.Of(context).Images.Find(request.Name) ?? throw ImageCatalogue.Missing(request.Name)),
        });

    public override Task<V1.ListImagesResponse> List(V1.ListImagesRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var found = tenants.Of(context).Images.List().Where(image => filter.Matches(FieldsOf(image)));
        return Task.FromResult(new V1.ListImagesResponse { Images = { found.Select(ToWire) } });
    }

    public override async Task<V1.CreateImageResponse> Create(V1.CreateImageRequest request, ServerCallContext context)
    {
        var image = Required(request.Image);
        var target = image.Target.FromWire("The image's target");
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var made = await tenant.Images.CreateAsync(
            image.Name, target, image.Labels, request.SourceDateEpoch.FromWire(), context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        events.PublishCreated(tenant.Namespace, made);
        return new V1.CreateImageResponse { Image = ToWire(made) };
    }

    public override async Task<V1.UpdateImageResponse> Update(V1.UpdateImageRequest request, ServerCallContext context)
    {
        var image = Required(request.Image);
        var paths = FieldPaths.Of(request.UpdateMask);
        var tenant = tenants.Of(context);
        var updated = await tenant.Images.UpdateAsync(
            image.Name, before => Changed(before, image, paths), request.SourceDateEpoch.FromWire(), context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        events.PublishUpdated(tenant.Namespace, updated);
        return new V1.UpdateImageResponse { Image = ToWire(updated) };
    }

    public override async Task<Empty> Delete(V1.DeleteImageRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        Digest? target = request.Target is { Digest.Length: > 0 } wanted ? Digest.Parse(wanted.Digest) : null;
        await tenant.Images.RemoveAsync(request.Name, target, context.CancellationToken).ConfigureAwait(false);
        events.PublishDeleted(tenant.Namespace, request.Name);
        store.Changed(deletion: true);
        if (request.Sync)
        {
            await store.CollectAsync(context.CancellationToken).ConfigureAwait(false);
        }

        return new Empty();
    }

    internal static ImageRecord Changed(ImageRecord before, V1.Image image, IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
        {
            return before with { Labels = image.Labels, Target = image.Target.FromWire("The image's target") };
        }

        var (target, labels) = (before.Target, new Dictionary<string, string>(before.Labels, StringComparer.Ordinal));
        var annotations = new Dictionary<string, string>(before.Target.Annotations ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (FieldPaths.KeyIn("labels", path) is { } label)
            {
                FieldPaths.Copy(image.Labels, labels, label);
                continue;
            }

            if (FieldPaths.KeyIn("annotations", path) is { } annotation)
            {
                FieldPaths.Copy(image.Target?.Annotations ?? [], annotations, annotation);
                continue;
            }

            switch (path)
            {
                case "labels":
                    labels = new Dictionary<string, string>(image.Labels, StringComparer.Ordinal);
                    break;
                case "target":
                    target = image.Target.FromWire("The image's target");
                    annotations = new Dictionary<string, string>(image.Target!.Annotations, StringComparer.Ordinal);
                    break;
                case "annotations":
                    annotations = new Dictionary<string, string>(image.Target?.Annotations ?? [], StringComparer.Ordinal);
                    break;
                default:
                    throw FieldPaths.Unknown(path, "an image");
            }
        }

        return before with { Labels = labels, Target = target with { Annotations = annotations.Count > 0 ? annotations : null } };
    }

    internal static FieldLookup FieldsOf(ImageRecord image) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "name" => Fields.Text(image.Name, out value),
        "target" when path is [_, "digest", ..] => Fields.Always(image.Target.Digest.ToString(), out value),
        "target" when path is [_, "mediatype", ..] => Fields.Text(image.Target.MediaType, out value),
        "labels" => Fields.Label(path, image.Labels, out value),
        "annotations" => Fields.Label(path, image.Target.Annotations, out value),
        _ => Fields.None(out value),
    };

    private static V1.Image Required(V1.Image? image) => image is { Name.Length: > 0 }
        ? image
        : throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no image.");

    private static V1.Image ToWire(ImageRecord image)
    {
        var told = new V1.Image
        {
            Name = image.Name, Target = image.Target.ToWire(), CreatedAt = image.CreatedAt.ToWire(), UpdatedAt = image.UpdatedAt.ToWire(),
        };
        image.Labels.AddTo(told.Labels);
        return told;
    }
}
