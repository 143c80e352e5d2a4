/** What every repository of images has, at home and where copies are made. */

/** Images of a component that are kept. A cell may run one for long: this is years of releases. */
const IMAGES_KEPT = 1_000;
/** Days after which an image goes that no tag and no other image points at. */
const UNTAGGED_DAYS = 14;

/** Which images go, as ECR takes it. */
export const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: 'Nothing points at it',
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: UNTAGGED_DAYS },
      action: { type: 'expire' },
    },
    {
      rulePriority: 2,
      description: 'The newest are kept',
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: IMAGES_KEPT },
      action: { type: 'expire' },
    },
  ],
});

/** Whoever is in the organization may pull. */
export const pullPolicy = (organizationId: string): object => ({
  Statement: [
    {
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } },
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Sid: 'PullInsideTheOrganization',
    },
  ],
  Version: '2012-10-17',
});
